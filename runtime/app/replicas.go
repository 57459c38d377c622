package app

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/deployment/doctor"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// openReplicas makes the ways to the replicas. It does not wait for any of them.
func (a *App) openReplicas(ctx context.Context, o Options) error {
	for i, r := range a.Config.Database.Replicas {
		address := r.URL
		if r.URLFrom.Given() {
			var err error
			if address, err = r.URLFrom.Resolve(os.LookupEnv, o.Dir); err != nil {
				return err
			}
		}
		pool, err := a.connect(ctx, address, 1)
		if err != nil {
			return err
		}
		at := pool.Config().ConnConfig
		name := fmt.Sprintf("%d (%s)", i+1, net.JoinHostPort(at.Host, strconv.Itoa(int(at.Port))))
		a.Replicas = append(a.Replicas, graphql.Replica{Name: name, Pool: pool, Weight: r.Weight, MaxLag: r.MaxLag})
	}
	return nil
}

// replicaPatience is how long a replica may take to say where it is.
const replicaPatience = 5 * time.Second

// lookAtReplicas asks the primary and then each replica where it is; found gets what they say, or why one cannot be asked.
func (a *App) lookAtReplicas(ctx context.Context, found func(i int, primary, stands postgres.Standing, err *fault.Error)) error {
	if len(a.Replicas) == 0 {
		return nil
	}
	primary, err := postgres.Stand(ctx, a.Pool)
	if err != nil {
		return err
	}
	for i, r := range a.Replicas {
		asking, cancel := context.WithTimeout(ctx, replicaPatience)
		stands, err := postgres.Stand(asking, r.Pool)
		cancel()
		wrong, failed := fault.As(err)
		if !failed {
			wrong = stands.ReplicaOf(primary)
		}
		found(i, primary, stands, wrong)
	}
	return nil
}

// judgeReplicas tells which of the configured replicas are none.
func (a *App) judgeReplicas(ctx context.Context, r *config.Report) error {
	return a.lookAtReplicas(ctx, func(i int, _, _ postgres.Standing, wrong *fault.Error) {
		if wrong == nil {
			return
		}
		message := "replica " + a.Replicas[i].Name + ": " + wrong.Message
		if wrong.Cause != nil {
			message += ": " + wrong.Cause.Error()
		}
		r.Error(fmt.Sprintf("replicas[%d]", i), wrong.Code, message, wrong.Hint)
	})
}

// checkReplicas tells of each replica how far it is.
func (a *App) checkReplicas(ctx context.Context, found *doctor.Findings) {
	err := a.lookAtReplicas(ctx, func(i int, primary, stands postgres.Standing, wrong *fault.Error) {
		r := a.Replicas[i]
		switch {
		case wrong != nil && wrong.Kind == fault.Unavailable:
			message := "replica " + r.Name + ": " + wrong.Message
			if wrong.Cause != nil {
				message += ": " + wrong.Cause.Error()
			}
			hint := "start it, or correct its address in [[database.replicas]]"
			if wrong.Code == postgres.OtherTimeline {
				hint = wrong.Hint
			}
			found.Warn(message, hint+"; until then the others and the primary do its work")
		case wrong != nil:
			found.Error("replica "+r.Name+": "+wrong.Message, wrong.Hint)
		case stands.Paused:
			found.Warn("replica "+r.Name+" is told not to follow the primary, and is "+behind(primary, stands), "select pg_wal_replay_resume(); on the replica")
		case stands.Position < primary.Flushed && r.MaxLag > 0 && stands.Age > r.MaxLag:
			found.Warn("replica "+r.Name+" is "+behind(primary, stands)+": it gets no queries beyond max_lag, which is "+r.MaxLag.String(), "look at pg_stat_replication on the primary and at the log of the replica")
		default:
			found.OK("replica " + r.Name + " is " + behind(primary, stands))
		}
	})
	if err != nil {
		found.Fault(err)
	}
}

// behind says how far a replica is behind what its primary could send. The age of its last commit says more the less time
// there is between commits.
func behind(primary, stands postgres.Standing) string {
	if stands.Position >= primary.Flushed {
		return "as far as the primary"
	}
	return fmt.Sprintf("%d bytes behind the primary; the last commit that it has is %s old", primary.Flushed-stands.Position, stands.Age.Round(time.Millisecond))
}
