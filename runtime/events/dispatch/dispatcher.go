package dispatch

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/cluster"
)

const (
	// lanes is how many there are: a power of two that capturing functions know, too.
	lanes = 16
	// busy is the wait between two looks while something happens.
	busy = 20 * time.Millisecond
	// glance is how many rows a look may bring; when there are more, all consumers read in the order of ids.
	glance = 2000
	// refresh is how often it is asked which consumers there are and whether they are paused.
	refresh = time.Second
	// patience is how long a statement of the loop may take: the lanes' terms go on meanwhile.
	patience = 5 * time.Second
)

// Options are what a Dispatcher works with.
type Options struct {
	Pool    *pgxpool.Pool // for the loop: nothing that takes long may hold its connections
	Work    *pgxpool.Pool // for work within transactions; nil is Pool
	Node    *cluster.Node
	Log     *slog.Logger
	IdleMax time.Duration // longest wait between two looks; 0 is 200 ms
	Drain   time.Duration // for what is at work at the end; 0 is 30 s
}

// Dispatcher delivers. Register consumers, then Run.
type Dispatcher struct {
	options Options
	share   *cluster.Share
	wake    chan struct{}

	committed  atomic.Bool // something was, since the last look
	registered atomic.Bool // consumers were, since the last refresh

	mu      sync.Mutex
	wanted  []Consumer
	results []result
	holds   map[int]*lane // what is worked for now; guarded as guard ends their contexts
	told    Stats

	// The loop's own.
	consumers map[string]*consumer
	snapshot  string // of the last look; empty before the first
	next      time.Time
	wait      time.Duration
	refreshed time.Time
	failing   bool
	workers   sync.WaitGroup
}

// lane is one that is held, in one epoch.
type lane struct {
	cluster.Slot
	ctx     context.Context // ends when it is lost
	cancel  context.CancelFunc
	leaving bool
	running int
}

// Stats are what a Dispatcher tells of itself.
type Stats struct {
	Lanes     int                      `json:"lanes"`
	Consumers map[string]ConsumerStats `json:"consumers"`
}

// ConsumerStats are those of one consumer on this server.
type ConsumerStats struct {
	Held    int  `json:"held"`    // deliveries that it knows of
	Running int  `json:"running"` // at work
	Waiting int  `json:"waiting"` // keys whose next try comes later
	Behind  bool `json:"behind"`  // there are more than it holds
}

// New makes a Dispatcher. It takes part in the lanes as soon as the node runs.
func New(o Options) *Dispatcher {
	if o.IdleMax == 0 {
		o.IdleMax = 200 * time.Millisecond
	}
	if o.Work == nil {
		o.Work = o.Pool
	}
	if o.Drain == 0 {
		o.Drain = 30 * time.Second
	}
	return &Dispatcher{
		options: o, share: o.Node.Share("lane", lanes), wake: make(chan struct{}, 1), holds: map[int]*lane{}, consumers: map[string]*consumer{},
	}
}

// Register adds consumers, or takes those of the same name over. It may be called while Run runs.
func (d *Dispatcher) Register(all ...Consumer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range all {
		if c.Concurrency == 0 {
			c.Concurrency = 10
		}
		replaced := false
		for i := range d.wanted {
			if d.wanted[i].Name == c.Name {
				d.wanted[i], replaced = c, true
			}
		}
		if !replaced {
			d.wanted = append(d.wanted, c)
		}
	}
	d.registered.Store(true)
	d.Wake()
}

// Wake says that something was committed here: it is looked for at once.
func (d *Dispatcher) Wake() {
	d.committed.Store(true)
	d.nudge()
}

// nudge lets the loop take a turn.
func (d *Dispatcher) nudge() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Stats tells how things stand on this server.
func (d *Dispatcher) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.told
}

// Run delivers until ctx ends. Then nothing new is begun, what is at work may finish within Drain, and the lanes are
// given back.
func (d *Dispatcher) Run(ctx context.Context) error {
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	guarding, stopGuard := context.WithCancel(work)
	var guard sync.WaitGroup
	guard.Go(func() { d.guard(guarding) })
	d.loop(ctx, work)
	d.drain(work)
	stopWork()
	d.await()
	stopGuard()
	guard.Wait()
	return nil
}

// await waits for workers whose context has ended. One that does not care is left behind: its work will be done again.
func (d *Dispatcher) await() {
	ended := make(chan struct{})
	go func() {
		d.workers.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(2 * time.Second):
		d.options.Log.Warn("some work on changes does not end though it was told to; another server does it again")
	}
}

// loop is the one goroutine that knows what is held, and asks the database for it.
func (d *Dispatcher) loop(ctx, work context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		d.turn(ctx, work)
		timer.Reset(d.rest())
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-d.wake:
		case <-d.share.Changed():
		}
	}
}

// turn does all that there is to do now.
func (d *Dispatcher) turn(ctx, work context.Context) {
	now := time.Now()
	err := d.settle(work)
	if err == nil && (d.registered.Swap(false) || now.Sub(d.refreshed) >= refresh) {
		err = d.refresh(ctx)
	}
	if err == nil {
		d.take(ctx, work)
		err = d.read(ctx)
	}
	if err == nil {
		err = d.begin(ctx, time.Now())
	}
	if err == nil {
		err = d.leave(ctx)
	}
	d.count()
	d.tell(ctx, err)
}

// rest is how long the loop may wait.
func (d *Dispatcher) rest() time.Duration {
	if d.failing {
		return 200 * time.Millisecond
	}
	until := d.next
	for _, c := range d.consumers {
		if len(c.waiting) > 0 && c.waiting[0].due.Before(until) {
			until = c.waiting[0].due
		}
		if c.hungry() && len(d.holds) > 0 {
			return 0
		}
	}
	return max(0, time.Until(until))
}

// tell logs once that the database cannot be asked, and once that it can.
func (d *Dispatcher) tell(ctx context.Context, err error) {
	switch {
	case err != nil && ctx.Err() != nil:
	case err != nil && !d.failing:
		d.failing = true
		d.options.Log.Warn("changes cannot be delivered now; trying again", slog.Any("error", err))
	case err == nil && d.failing:
		d.failing = false
		d.options.Log.Info("changes are delivered again")
		for _, c := range d.consumers { // it may be another server that answers, or one that was set back
			c.anew()
		}
	}
}

func (d *Dispatcher) count() {
	s := Stats{Lanes: len(d.holds), Consumers: map[string]ConsumerStats{}}
	for name, c := range d.consumers {
		s.Consumers[name] = ConsumerStats{Held: len(c.items), Running: c.running, Waiting: len(c.waiting), Behind: c.behind}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told = s
}
