package doctor

import (
	"context"
	"fmt"
)

// The room on the disk below which somebody should look, and below which the server may stop.
const (
	littleRoom = 1 << 30
	noRoom     = 100 << 20
)

// Disk asks how much room is left where a folder is.
func Disk(what, dir string) Check {
	return Check{Name: "disk", Run: func(_ context.Context, found *Findings) {
		free, err := freeBytes(dir)
		room := fmt.Sprintf("%s has %.1f GB of room", what, float64(free)/(1<<30))
		switch {
		case err != nil:
			found.Skip(what + " cannot be asked for its room: " + err.Error())
		case free < noRoom:
			found.Error(room, "make room: PostgreSQL stops when the disk is full")
		case free < littleRoom:
			found.Warn(room, "make room before it is full")
		default:
			found.OK(room)
		}
	}}
}
