package redis

import (
	"context"
	"strings"
)

// Durability tells what speaks against a Redis as a place for jobs, each with what to do about it: they may be lost there.
func (q *Queue) Durability(ctx context.Context) (warnings [][2]string, err error) {
	info, err := q.client.Info(ctx, "memory", "persistence").Result()
	if err != nil {
		return nil, explain(err)
	}
	facts := map[string]string{}
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		facts[name] = value
	}
	if facts["aof_enabled"] == "0" {
		warnings = append(warnings, [2]string{"the Redis that has the jobs loses those since its last snapshot, or all, when it ends", "appendonly yes, in its configuration"})
	}
	if policy := facts["maxmemory_policy"]; policy != "" && policy != "noeviction" && facts["maxmemory"] != "0" {
		warnings = append(warnings, [2]string{"the Redis that has the jobs drops some when its memory is full (maxmemory-policy " + policy + ")", "maxmemory-policy noeviction, in its configuration"})
	}
	return warnings, nil
}
