package cluster

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// What is held is renewed even when it has expired: nobody has taken it, or its holder would be another. Of what is in the
	// node's name and it does not know, as an answer was lost, nothing is renewed: it is to expire.
	beatSQL = `
with me as (
    insert into _system.node as n (id, name, version, url, knows)
    values ($1, $2, $3, $4, $8)
    on conflict (id) do update set seen_at = clock_timestamp(), url = excluded.url, knows = excluded.knows
    returning id
), kept as (
    update _system.lease l
    set expires_at = clock_timestamp() + $5
    from me
    where l.holder = me.id and (l.name, l.slot) in (select * from unnest($6::text[], $7::int[]))
    returning l.name, l.slot, l.epoch
)
select null::text, (select count(*) from _system.node where seen_at > clock_timestamp() - $5::interval and id <> $1)::int, (extract(epoch from clock_timestamp()) * 1000000)::int8
union all
select name, slot, epoch from kept`

	acquireSQL = `
update _system.lease l
set holder = $1, epoch = l.epoch + 1, expires_at = clock_timestamp() + $2
from (
    select name, slot
    from _system.lease
    where name = $3 and (holder is null or expires_at < clock_timestamp())
    order by slot
    limit $4
    for update skip locked
) free
where l.name = free.name and l.slot = free.slot
returning l.slot, l.epoch`

	giveSQL = `
update _system.lease
set holder = null, expires_at = '-infinity'
where holder = $1 and name = $2 and slot = any ($3)`

	partSQL = `
with given as (
    update _system.lease
    set holder = null, expires_at = '-infinity'
    where holder = $1
)
delete from _system.node
where id = $1`

	// Of nodes that died nothing is left to do: their leases have expired long ago.
	forgetSQL = `
delete from _system.node
where seen_at < clock_timestamp() - interval '1 hour'`
)

// held is what a beat says of a slot.
type held struct {
	name  string
	slot  int
	epoch int64
}

// beat says that the node lives, renews what it holds, and tells how many others there are and what time it is there.
func (n *Node) beat(ctx context.Context, leases []string, slots []int, knows []string) (others int, at time.Time, kept []held, err error) {
	rows, err := n.options.Pool.Query(ctx, beatSQL, n.id, n.options.Name, n.options.Version, n.options.URL, n.options.Term, leases, slots, knows)
	if err != nil {
		return 0, at, nil, err
	}
	var name *string
	var slot int
	var epoch int64
	_, err = pgx.ForEachRow(rows, []any{&name, &slot, &epoch}, func() error {
		if name == nil {
			others, at = slot, time.UnixMicro(epoch)
		} else {
			kept = append(kept, held{*name, slot, epoch})
		}
		return nil
	})
	return others, at, kept, err
}

func (n *Node) acquire(ctx context.Context, name string, count int) ([]held, error) {
	rows, err := n.options.Pool.Query(ctx, acquireSQL, n.id, n.options.Term, name, count)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (held, error) {
		h := held{name: name}
		return h, row.Scan(&h.slot, &h.epoch)
	})
}
