//go:build unix

package embedded

import (
	"context"
	"errors"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// obtain picks among the installations of this machine, and downloads when none fits.
func obtain(ctx context.Context, o Options, who *account, wanted int) (Binaries, error) {
	programs, missing := choose(Find(ctx, o.Places...), wanted)
	if missing == nil {
		return programs, nil
	}
	programs, err := download(ctx, o, who, wanted)
	if err == nil {
		return programs, nil
	}
	known, ok := fault.As(missing)
	if !ok {
		return Binaries{}, errors.Join(missing, err)
	}
	known.Message += ", and it could not be downloaded"
	known.Cause = err
	return Binaries{}, known
}
