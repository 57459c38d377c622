package config

import (
	"strings"
	"testing"
)

// TestRedact has ways in which a password gets into a file: none may be shown, and no line may be lost.
func TestRedact(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`url = "postgres://me:CANARY@h/db"`,
		`url = 'postgres://me:CANARY@h/db'`,
		`url = "postgres://:CANARY@h/db"`,
		`url = "postgres://me:a/CANARY@h/db"`,
		`url = "postgres://me:a@CANARY@h/db"`,
		`url = "postgres://me:a CANARY@h/db"`,
		`url = "postgres://me:a'CANARY@h/db"`,
		`url = "postgres://me:a\"CANARY@h/db"`,
		`url = "postgres://me:CANARY@h/db`,
		`url = "postgres://h/db?user=me&password=CANARY&sslmode=disable"`,
		`url = "host=h user=me password=CANARY dbname=db"`,
		`url = "host=h password='a CANARY' dbname=db"`,
		`url = 'host=h password=CANARY'`,
		`url = "CANARY"`,
		`url = "CANARY`,
		`url = ["CANARY"]`,
		`database = {url = 'CANARY is no address'}`,
		`url = CANARY`,
		`password = CANARY # not in quotes`,
		`password = "CANARY"`,
		`api_key = """` + "\n" + `CANARY"""`,
		`token = 'CANARY`,
	} {
		got := string(redact([]byte(text + "\nport = 1\n")))
		if strings.Contains(got, "CANARY") || strings.Count(got, "\n") != strings.Count(text, "\n")+2 {
			t.Errorf("%s\nis shown as %s", text, got)
		}
		if !strings.Contains(got, "port = 1") {
			t.Errorf("%s\nhides the next line: %s", text, got)
		}
	}
	for _, text := range []string{`url = "${DATABASE_URL}"`, `url = "https://example.org:8080/hook"`, `password_env = "PASSWORD"`, `token = "${TOKEN}"`, `secret = true # is it?`, `token = 5`} {
		if got := string(redact([]byte(text))); got != text {
			t.Errorf("%s is shown as %s", text, got)
		}
	}
}
