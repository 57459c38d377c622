package redis

import (
	_ "embed" // scripts are files

	"github.com/redis/go-redis/v9"
)

//go:embed scripts/lib.lua
var libLua string

//go:embed scripts/insert.lua
var insertLua string

//go:embed scripts/take.lua
var takeLua string

//go:embed scripts/end.lua
var endLua string

//go:embed scripts/clock.lua
var clockLua string

//go:embed scripts/release.lua
var releaseLua string

//go:embed scripts/extend.lua
var extendLua string

//go:embed scripts/rescue.lua
var rescueLua string

//go:embed scripts/change.lua
var changeLua string

//go:embed scripts/forget.lua
var forgetLua string

//go:embed scripts/list.lua
var listLua string

//go:embed scripts/queues.lua
var queuesLua string

//go:embed scripts/pause.lua
var pauseLua string

//go:embed scripts/taken.lua
var takenLua string

//go:embed scripts/report.lua
var reportLua string

// Each file of scripts says what its script takes and gives. They name keys that follow from others, so all of them have to be
// in one Redis: a Redis Cluster will not do.
var (
	insertScript  = redis.NewScript(libLua + insertLua)
	takeScript    = redis.NewScript(takeLua)
	releaseScript = redis.NewScript(libLua + releaseLua)
	extendScript  = redis.NewScript(libLua + extendLua)
	rescueScript  = redis.NewScript(libLua + rescueLua)
	changeScript  = redis.NewScript(libLua + changeLua)
	forgetScript  = redis.NewScript(libLua + forgetLua)
	listScript    = redis.NewScript(libLua + listLua)
	queuesScript  = redis.NewScript(libLua + queuesLua)
	pauseScript   = redis.NewScript(libLua + pauseLua)
	takenScript   = redis.NewScript(libLua + takenLua)
	reportScript  = redis.NewScript(libLua + reportLua)
)

// Keys that Go knows, too.
const (
	placeKey      = "fraiseql:jobs:place"
	sameKey       = "fraiseql:jobs:same:" // and the id of a job that was merged into another
	uniqueKey     = "fraiseql:jobs:key:"  // and a digest of kind and key
	cancelChannel = "fraiseql:jobs:cancel"
	indexKey      = "fraiseql:jobs"
	namesKey      = "fraiseql:jobs:queues"
)
