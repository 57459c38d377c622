// Command torture tries to make fraiseql lose a change, act on one that never was, or act out of order: it runs the true
// program on a true PostgreSQL, several times over, and kills, halts, restarts and partitions what it can while clients write.
//
//	go run ./bench/torture                 the short form of every scenario, some minutes
//	go run ./bench/torture -long           the numbers of docs/guarantees.md
//	go run ./bench/torture -run order      only these
//	go run ./bench/torture -sabotage       breaks the rule that each scenario guards: each has to fail
//
// Times count in the long form only, on a machine that does nothing else; the short form shows them, and lets scenarios run
// side by side that mostly wait.
//
// It prints a line for each scenario and "N passed, N failed" at the end, and exits with 1 when one failed; with -sabotage,
// when one passed.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// scenario is one way to try it.
type scenario struct {
	name string
	what string
	run  func(ctx context.Context, w *world) (seen string, err error)
	// break the rule that it guards, by SQL after the tables were made
	sabotage string
}

// measured are the scenarios whose figures count for something: they have the machine to themselves. The others mostly wait.
var measured = []string{"backlog", "overhead", "latency"}

func main() {
	long := flag.Bool("long", false, "the long form")
	only := flag.String("run", "", "a pattern of the scenarios' names")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of what is random")
	sabotage := flag.Bool("sabotage", false, "break the rule that each scenario guards")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	code := torture(ctx, *only, *seed, *long, *sabotage)
	stop()
	os.Exit(code)
}

func torture(ctx context.Context, only string, seed uint64, long, sabotage bool) int {
	pattern, err := regexp.Compile(only)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	fmt.Printf("seed %d\n", seed)
	program, clean, err := build(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	defer clean()
	var chosen [2][]scenario // those that wait, and those that measure
	for _, s := range slices.Concat(scenarios, jobScenarios) {
		if pattern.MatchString(s.name) && (!sabotage || s.sabotage != "") {
			which := 0
			if slices.Contains(measured, s.name) {
				which = 1
			}
			chosen[which] = append(chosen[which], s)
		}
	}
	var mu sync.Mutex
	passed, failed := 0, 0
	for which, all := range chosen {
		var running errgroup.Group
		running.SetLimit(1)
		if which == 0 && !long && !sabotage {
			running.SetLimit(3)
		}
		for _, s := range all {
			running.Go(func() error {
				if ctx.Err() != nil {
					return nil
				}
				began := time.Now()
				seen, err := attempt(ctx, s, program, rand.New(rand.NewPCG(seed, 1)), long, sabotage)
				mu.Lock()
				defer mu.Unlock()
				verdict := "passed"
				if err != nil {
					verdict = "FAILED"
					seen += "; " + err.Error()
					failed++
				} else {
					passed++
				}
				fmt.Printf("%s  %-12s %5.1f s  %s\n", verdict, s.name, time.Since(began).Seconds(), seen)
				return nil
			})
		}
		_ = running.Wait() // each has told its own error
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if sabotage {
		passed, failed = failed, passed
	}
	if failed > 0 || passed == 0 {
		return 1
	}
	return 0
}

// attempt gives a scenario a world of its own.
func attempt(ctx context.Context, s scenario, program string, random *rand.Rand, long, sabotage bool) (string, error) {
	limit := 5 * time.Minute
	if long {
		limit = time.Hour
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	w, err := newWorld(ctx, program, random, long)
	if err != nil {
		return "", err
	}
	defer w.close()
	if sabotage {
		w.sabotage, w.timed = s.sabotage, true
	}
	seen, err := s.run(ctx, w)
	if err != nil {
		err = fmt.Errorf("%w%s", err, w.tails())
	}
	return seen, err
}
