package transport

import (
	"net/http"
	"testing"
)

func TestTraces(t *testing.T) {
	t.Parallel()
	const good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	for text, want := range map[string]string{
		good: good, "": "", "x": "", good + "0": "",
		"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01": "",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01": "",
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01": "",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01": "",
		"00 4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01": "",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0'": "",
	} {
		if got := traceOf(http.Header{"Traceparent": {text}}); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	if got := traceOf(http.Header{"Traceparent": {good, good}}); got != "" {
		t.Errorf("two are %q", got)
	}
}
