package config_test

import (
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/config"
)

// TestAddressesWithPasswords has what a password that is not encoded makes of an address, and what is well.
func TestAddressesWithPasswords(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"postgres://u:hunter@2/w@127.0.0.1/db", "postgres://u:hunter2/w@127.0.0.1/db", "postgres://u:hunter@2@127.0.0.1/db", "postgres://u:1?hunter2@127.0.0.1/db",
		"postgres://u:1#hunter2@127.0.0.1/db", "postgres://u:p@hunter2?w@127.0.0.1/db", "postgres://u:p@hunter2/0?w@127.0.0.1/db?a=b", "redis://:hunter@2/w@127.0.0.1:6379/0", "unix://:hunter/2@/run/redis.sock",
	} {
		if err := config.CheckAddress(address); err == nil || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{
		"postgres://u:hunter%402%2Fw@127.0.0.1/db", "postgres://h1:1,h2:2/db?sslmode=disable", "postgres://u@h/db", "postgres://u:p@h/db?application_name=a@b", "postgres:///db?host=/tmp", "host=h password=a@b/c@d",
		"redis://:p@h:6379/0", "unix://u:p@/run/redis.sock?db=1", "",
	} {
		if err := config.CheckAddress(address); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}
