// Command subscribers measures how soon clients are told of changes: from before a row is inserted to its frame at each client.
//
//	go run ./bench/subscribers                       1,000 clients who see the same rows under row security, 100 changes a second
//	go run ./bench/subscribers -tenants 1000         each sees rows of its own
//	go run ./bench/subscribers -clients 100 -for 5s  …
//
// It runs the true program on a PostgreSQL of its own, both of which share the machine with the clients. It exits with 1 when a
// client was not told of a change that it was to see, or was told of one that it was not to.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// load is what is measured.
type load struct {
	clients, tenants int
	rate             int // changes a second
	lasts            time.Duration

	sent     []atomic.Int64 // when a row was about to be inserted, by its id
	begun    atomic.Int64   // clients that were told of something
	inserted atomic.Int64
	told     atomic.Int64
	wrong    atomic.Int64
}

func main() {
	l := &load{}
	flag.IntVar(&l.clients, "clients", 1000, "how many subscribe")
	flag.IntVar(&l.tenants, "tenants", 1, "among how many they are divided: each sees the rows of its own")
	flag.IntVar(&l.rate, "rate", 100, "changes a second")
	flag.DurationVar(&l.lasts, "for", 10*time.Second, "how long")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := l.run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (l *load) run(ctx context.Context) error {
	l.sent = make([]atomic.Int64, int(l.lasts.Seconds()+1)*l.rate+l.tenants+1)
	w, err := newWorld(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	pool, err := pgxpool.New(ctx, w.address)
	if err != nil {
		return err
	}
	defer pool.Close()
	began := time.Now()
	clients, err := l.connect(ctx, w.url)
	if err != nil {
		return err
	}
	fmt.Printf("%d clients in %d tenants have subscribed within %v; the server has %d MB\n", l.clients, l.tenants, time.Since(began).Round(time.Millisecond), w.memory())
	var reading sync.WaitGroup
	times := make([][]time.Duration, len(clients))
	for i, c := range clients {
		reading.Go(func() { times[i] = l.read(ctx, c) })
	}
	if err := l.warm(ctx, pool); err != nil {
		return err
	}
	used := w.processor()
	began = time.Now()
	if err := l.write(ctx, pool); err != nil {
		return err
	}
	took := time.Since(began)
	want := l.inserted.Load() * int64(l.clients/l.tenants)
	for end := time.Now().Add(30 * time.Second); l.told.Load() < want && time.Now().Before(end); {
		<-time.After(10 * time.Millisecond)
	}
	used = w.processor() - used
	memory := w.memory()
	for _, c := range clients {
		_ = c.conn.CloseNow()
	}
	reading.Wait()
	var all []time.Duration
	for _, of := range times {
		all = append(all, of...)
	}
	slices.Sort(all)
	fmt.Printf("%d changes in %v; %d frames of %d that were to come, %d that were not\n", l.inserted.Load(), took.Round(time.Millisecond), len(all), want, l.wrong.Load())
	if len(all) > 0 {
		at := func(p float64) time.Duration {
			return all[min(len(all)-1, int(p*float64(len(all))))].Round(100 * time.Microsecond)
		}
		fmt.Printf("p50 %v, p95 %v, p99 %v, max %v; the server took %v of processor time and has %d MB\n", at(.5), at(.95), at(.99), all[len(all)-1].Round(100*time.Microsecond), used.Round(time.Millisecond), memory)
	}
	if int64(len(all)) != want || l.wrong.Load() > 0 {
		return fmt.Errorf("clients were told of %d changes, not of %d", len(all), want)
	}
	return nil
}

// warm inserts rows that do not count, until each client has been told of one: a subscription does not say when it begins.
func (l *load) warm(ctx context.Context, pool *pgxpool.Pool) error {
	for round := 0; l.begun.Load() < int64(l.clients); round++ {
		if _, err := pool.Exec(ctx, "insert into message select -i - $1, i % $2, 'a message' from generate_series(1, $2) i", round*l.tenants, l.tenants); err != nil {
			return err
		}
		for end := time.Now().Add(20 * time.Second); l.begun.Load() < int64(l.clients) && time.Now().Before(end); {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	return nil
}

// write inserts rows at an even pace, each for one tenant.
func (l *load) write(ctx context.Context, pool *pgxpool.Pool) error {
	tick := time.NewTicker(time.Second / time.Duration(l.rate))
	defer tick.Stop()
	end := time.Now().Add(l.lasts)
	var writing sync.WaitGroup
	defer writing.Wait()
	failed := make(chan error, 1)
	for id := 1; time.Now().Before(end); id++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-failed:
			return err
		case <-tick.C:
		}
		writing.Go(func() {
			l.sent[id].Store(time.Now().UnixNano())
			if _, err := pool.Exec(ctx, "insert into message values ($1, $2, 'a message')", id, id%l.tenants); err != nil {
				select {
				case failed <- err:
				default:
				}
			}
			l.inserted.Add(1)
		})
	}
	return nil
}
