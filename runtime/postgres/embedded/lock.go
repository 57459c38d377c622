//go:build unix

package embedded

import (
	"context"
	"errors"
	"os"
	"syscall"
)

// lockFile waits for the exclusive lock on a file, which the system drops when its holder ends.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) || ctx.Err() != nil {
			_ = f.Close()
			return nil, errors.Join(err, ctx.Err())
		}
		pause(ctx)
	}
}

// holdShared takes a shared lock; nil when the file cannot be opened.
func holdShared(path string) *os.File {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH); err != nil {
		_ = f.Close()
		return nil
	}
	return f
}
