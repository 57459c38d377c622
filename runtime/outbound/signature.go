package outbound

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

const (
	tolerance = 5 * time.Minute // how far the clocks of the two sides may differ
	keyBytes  = 16              // of a key, at least; the specification makes new ones with 24 to 64
)

// Keys signs calls and verifies those of others, as Standard Webhooks 1.0 says. The first is the current one; others are there
// while keys are exchanged. Nothing prints them.
type Keys struct{ keys [][]byte }

// ParseKeys reads one secret or several, with spaces or commas between them. After whsec_ comes base64; what does not begin so
// is taken as it stands. Errors do not repeat any of it.
func ParseKeys(secret string) (Keys, error) {
	var k Keys
	for text := range strings.FieldsFuncSeq(secret, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
		key := []byte(text)
		switch encoded, isEncoded := strings.CutPrefix(text, "whsec_"); {
		case isEncoded:
			var err error
			if key, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "=")); err != nil {
				return Keys{}, badSecret("what follows whsec_ in a secret is no base64")
			}
		case strings.HasPrefix(text, "whsk_"), strings.HasPrefix(text, "whpk_"):
			return Keys{}, badSecret("a secret is a key of Ed25519, and signatures are made by HMAC-SHA256 alone")
		}
		if len(key) < keyBytes {
			return Keys{}, badSecret(fmt.Sprintf("a secret has fewer than %d bytes; several are divided by spaces or commas, so it can have none in it", keyBytes))
		}
		k.keys = append(k.keys, key)
	}
	if len(k.keys) == 0 {
		return Keys{}, badSecret("the secret is empty")
	}
	return k, nil
}

// KeysOf reads the keys that the configuration names; nil where it names none. Errors say where they are, and nothing of them.
func KeysOf(s config.Secret, env func(string) (string, bool), dir string) (*Keys, error) {
	if !s.Given() {
		return nil, nil //nolint:nilnil // none is a valid answer
	}
	secret, err := s.Resolve(env, dir)
	if err != nil {
		return nil, err
	}
	keys, err := ParseKeys(secret)
	if err == nil {
		return &keys, nil
	}
	where := "the environment variable " + s.Env
	if s.Env == "" {
		where = "the file " + s.File
	}
	told, _ := fault.As(err)
	return nil, badSecret(where + " holds no key that signs: " + told.Message)
}

// CheckSecret reports a secret that no call can be signed with. One that is not there is told of with all others.
func CheckSecret(r *config.Report, key string, s config.Secret) {
	if _, err := s.Resolve(r.Env, r.Files()); err != nil || !s.Given() {
		return
	}
	if _, err := KeysOf(s, r.Env, r.Files()); err != nil {
		told, _ := fault.As(err)
		if s.Env != "" {
			key += "_env"
		} else {
			key += "_file"
		}
		r.Need(key, told.Code, told.Message, told.Hint)
	}
}

// badSecret hints at one with whsec_: libraries of receivers decode base64 without it, too, where it is taken as it stands here.
func badSecret(message string) error {
	return fault.New(fault.Invalid, "outbound/bad-secret", message).WithHint(`make one: echo "whsec_$(openssl rand -base64 32)"`)
}

// Sign gives the headers of a call. id is the same at each try of a message, at is the time of the try. An id must be of
// characters that can be seen, without a dot, which divides what is signed: two messages could otherwise have one signature.
func (k Keys) Sign(id string, at time.Time, body []byte) (http.Header, error) {
	if !isID(id) || len(k.keys) == 0 {
		return nil, fault.New(fault.Internal, "outbound/unsigned", "a call cannot be signed: it has no key, or an id that is none")
	}
	stamp := strconv.FormatInt(at.Unix(), 10)
	var signatures []string
	for _, key := range k.keys {
		signatures = append(signatures, sign(key, id, stamp, body))
	}
	h := http.Header{}
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", stamp)
	h.Set("Webhook-Signature", strings.Join(signatures, " "))
	return h, nil
}

// Verify wants one of the signatures to be by one of the keys, and not to be of a time more than 5 minutes from now. That the
// same call comes only once is for the caller to see to, by webhook-id.
func (k Keys) Verify(h http.Header, body []byte, now time.Time) error {
	id, stamp := h.Get("Webhook-Id"), h.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if !isID(id) || err != nil {
		return badSignature("the call is not signed as Standard Webhooks says")
	}
	if apart := now.Sub(time.Unix(seconds, 0)).Abs(); apart > tolerance {
		return badSignature("the call was signed more than " + tolerance.String() + " from now, by the clock of this machine")
	}
	for _, key := range k.keys {
		wanted := []byte(sign(key, id, stamp, body))
		for signature := range strings.FieldsSeq(h.Get("Webhook-Signature")) {
			if hmac.Equal([]byte(signature), wanted) {
				return nil
			}
		}
	}
	return badSignature("the signature of the call is not by a key that is known")
}

// Format prints that there are keys, and no more, whatever the verb.
func (k Keys) Format(s fmt.State, _ rune) { _, _ = fmt.Fprintf(s, "[%d keys]", len(k.keys)) }

func sign(key []byte, id, stamp string, body []byte) string {
	m := hmac.New(sha256.New, key)
	_, _ = m.Write([]byte(id + "." + stamp + "."))
	_, _ = m.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))
}

func isID(id string) bool {
	return id != "" && !strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '.' })
}

func badSignature(message string) error {
	return fault.New(fault.Unauthenticated, "outbound/bad-signature", message)
}
