package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

var nameForm = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$`)

// CheckNames wants names that can stand in a route, and not those that are routes already.
func CheckNames[T any](r *Report, named map[string]T, route string, taken ...string) {
	for _, name := range slices.Sorted(maps.Keys(named)) {
		at := r.Item(name)
		if slices.Contains(taken, strings.ToLower(name)) {
			at.Error("", "config/reserved-name", "`"+name+"` cannot be a name here: "+route+"/"+name+" is a route of its own", "call it `my_"+name+"`")
		} else if !nameForm.MatchString(name) {
			at.Error("", "config/bad-name", "`"+name+"` cannot be a name here: it stands in "+route+"/NAME", "use letters, digits, `_`, `-` and `.`, at most 63")
		}
	}
}

// Kind says which keys one kind of a thing needs and which it may have beside those that all kinds have.
type Kind struct {
	Needs []string // "a|b": one of them; a secret counts under its bare name
	Takes []string
}

// given tells whether a key is there under its own name, as NAME_env or as NAME_file.
func given(r *Report, key string) bool {
	for _, spelling := range []string{key, key + "_env", key + "_file"} {
		if r.Given(spelling) || r.Written(spelling) || r.Reported(spelling) {
			return true
		}
	}
	return false
}

// written finds the spelling under which a key is there.
func written(r *Report, key string) string {
	for _, spelling := range []string{key, key + "_env", key + "_file"} {
		if r.Given(spelling) || r.Written(spelling) {
			return spelling
		}
	}
	return key
}

// Check reports the keys that a kind lacks, and those of other kinds that it does not look at.
func (k Kind) Check(r *Report, kind string, of map[string]Kind) {
	for _, needed := range k.Needs {
		ways := strings.Split(needed, "|")
		if !slices.ContainsFunc(ways, func(key string) bool { return given(r, key) }) {
			r.Error("", "config/missing-key", kind+" needs `"+strings.Join(ways, "` or `")+"`", Example(ways[0]))
		}
	}
	mine := strings.Split(strings.Join(append(slices.Clone(k.Needs), k.Takes...), "|"), "|")
	seen := map[string]bool{}
	for _, other := range of {
		for _, key := range strings.Split(strings.Join(append(slices.Clone(other.Needs), other.Takes...), "|"), "|") {
			if key == "" || seen[key] || slices.Contains(mine, key) || !given(r, key) {
				continue
			}
			seen[key] = true
			at := written(r, key)
			r.Warn(at, "config/unused-key", kind+" does not look at `"+at+"`", "remove it")
		}
	}
}

// examples of keys, in the spelling that people should use.
var examples = map[string]string{
	"access_key":  `access_key_env = "STORAGE_ACCESS_KEY"`,
	"account_id":  `account_id_env = "STORAGE_ACCOUNT_ID"`,
	"account_sid": `account_sid_env = "TWILIO_ACCOUNT_SID"`,
	"api_key":     `api_key_env = "API_KEY"`,
	"api_secret":  `api_secret_env = "API_SECRET"`,
	"app_id":      `app_id = "…"`,
	"auth_token":  `auth_token_env = "TWILIO_AUTH_TOKEN"`,
	"bot_token":   `bot_token_env = "BOT_TOKEN"`,
	"channel":     `channel = "email"`,
	"credentials": `credentials_env = "FIREBASE_CREDENTIALS_JSON"`,
	"function":    `function = "on_user_created"`,
	"host":        `host = "smtp.example.com"`,
	"kind":        `kind = "send_report"`,
	"private_key": `private_key_file = "push.key"`,
	"region":      `region = "eu-west-1"`,
	"secret_key":  `secret_key_env = "STORAGE_SECRET_KEY"`,
	"template":    `template = "welcome_email"`,
	"to":          `to = "email"`,
	"url":         `url_env = "WEBHOOK_URL"`,
	"webhook_url": `webhook_url_env = "WEBHOOK_URL"`,
}

// Example gives a key with a value that shows its form.
func Example(key string) string {
	if text, has := examples[key]; has {
		return text
	}
	return key + ` = "…"`
}
