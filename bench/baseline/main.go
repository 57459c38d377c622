// Command baseline is the server that somebody would write by hand for the queries of the benchmark: net/http, a pool
// of pgx, one prepared statement a query, PostgreSQL's JSON handed on as it is. It knows no GraphQL: a query is a
// route, and the body of the request is its variables.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

func main() {
	address := flag.String("listen", "127.0.0.1:0", "address to listen on")
	database := flag.String("database", "", "address of the database")
	size := flag.Int("pool", 10, "connections")
	flag.Parse()
	if err := serve(*address, *database, *size); err != nil {
		slog.Error(err.Error())
		os.Exit(1)
	}
}

func serve(address, database string, size int) error {
	config, err := pgxpool.ParseConfig(database)
	if err != nil {
		return err
	}
	config.MaxConns = int32(size)
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return err
	}
	defer pool.Close()
	server := &http.Server{Addr: address, Handler: routes(pool), ReadHeaderTimeout: 10 * time.Second}
	return server.ListenAndServe()
}

// querier is what a route needs of a pool.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

func routes(db querier) http.Handler {
	mux := http.NewServeMux()
	for name, q := range queries {
		mux.HandleFunc("POST /"+name, func(w http.ResponseWriter, r *http.Request) { answer(w, r, db, q) })
	}
	mux.HandleFunc("GET /health", func(http.ResponseWriter, *http.Request) {})
	return mux
}

func answer(w http.ResponseWriter, r *http.Request, db querier, q query) {
	var variables map[string]int32
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&variables); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var args []any
	if q.variable != "" {
		value, given := variables[q.variable]
		if !given {
			http.Error(w, q.variable+" is missing", http.StatusBadRequest)
			return
		}
		args = append(args, value)
	}
	rows, end, err := run(r.Context(), db, q, args)
	defer end()
	if err != nil {
		fail(w, err)
		return
	}
	defer rows.Close()
	if !rows.Next() {
		fail(w, fmt.Errorf("no row: %w", rows.Err()))
		return
	}
	text := rows.RawValues()[0] // valid until the next row: written without a copy
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	_, _ = w.Write(text)
}

// run runs a statement, with claims behind the one that sets them: one way to the server for both.
func run(ctx context.Context, db querier, q query, args []any) (rows pgx.Rows, end func(), err error) {
	if q.claims == "" {
		rows, err = db.Query(ctx, q.sql, args...)
		return rows, func() {}, err
	}
	batch := &pgx.Batch{}
	batch.Queue(asReader, q.claims)
	batch.Queue(q.sql, args...)
	results := db.SendBatch(ctx, batch)
	end = func() { _ = results.Close() } // the answer is there
	if _, err = results.Exec(); err == nil {
		rows, err = results.Query()
	}
	return rows, end, err
}

func fail(w http.ResponseWriter, err error) {
	slog.Error(err.Error())
	http.Error(w, "the database failed", http.StatusInternalServerError)
}
