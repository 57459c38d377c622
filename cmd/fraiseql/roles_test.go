//go:build unix

package main_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

// tokenOf makes a token by hand, as RFC 7519 describes it.
func tokenOf(secret, claims string) string {
	part := base64.RawURLEncoding.EncodeToString
	text := part([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + part([]byte(claims))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return text + "." + part(mac.Sum(nil))
}

// TestRolesAreServed asks the true program with tokens: as nobody, as one of two tenants, as somebody else.
func TestRolesAreServed(t *testing.T) {
	t.Parallel()
	dir, url := project(t), pgtest.Database(t)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	name := conn.Config().Database
	in := strings.NewReplacer("guest", "guest_"+name, "member", "member_"+name)
	if _, err := conn.Exec(t.Context(), in.Replace(`
		create role guest nologin; create role member nologin;
		create table post (id serial primary key, owner text not null default current_setting('request.jwt.claims')::json ->> 'sub', title text not null, draft bool not null default true);
		insert into post (owner, title, draft) values ('7', 'seven', false), ('8', 'eight', true);
		alter table post enable row level security;
		create policy read on post for select to guest using (not draft);
		create policy own on post to member using (owner = current_setting('request.jwt.claims', true)::json ->> 'sub');
		grant select (id, title) on post to guest; grant select, insert (title), update (title), delete on post to member; grant usage on sequence post_id_seq to member;`)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := conn.Exec(context.Background(), in.Replace(`drop owned by guest, member; drop role guest, member`))
		if err != nil {
			t.Error(err)
		}
		_ = conn.Close(context.Background())
	})
	const secret = "the secret of tokens has 32 bytes and more"
	write(t, dir, "secret", secret)
	write(t, dir, "fraiseql.toml", in.Replace(`
[auth]
anonymous_role = "visitor"
[auth.jwt]
secret_file = "secret"
[graphql.roles.visitor]
role = "guest"
[graphql.roles.writer]
role = "member"
introspection = true
`))
	_, server := serve(t, dir, nil, "--database-url", url)
	exp := time.Now().Add(time.Hour).Unix()
	writer := func(subject string) string {
		return "Bearer " + tokenOf(secret, fmt.Sprintf(`{"sub":%q,"role":"writer","exp":%d}`, subject, exp))
	}
	for _, c := range []struct {
		authorization, query string
		status               int
		want                 string
	}{
		{"", `{ posts { title } }`, 200, `{"data":{"posts":[{"title":"seven"}]}}`},
		{"", `{ posts { owner } }`, 400, `GRAPHQL_VALIDATION_FAILED`},
		{"", `{ __schema { mutationType { name } } }`, 400, `introspection is off`},
		{writer("7"), `{ __schema { mutationType { name } } }`, 200, `"Mutation"`},
		{writer("8"), `{ posts { title owner } }`, 200, `{"data":{"posts":[{"title":"eight","owner":"8"}]}}`},
		{writer("8"), `mutation { createPost(input: {title: "new"}) { owner } updatePosts(where: {}, set: {title: "mine"}) { owner } }`, 200, `{"data":{"createPost":{"owner":"8"},"updatePosts":[{"owner":"8"},{"owner":"8"}]}}`},
		{writer("7"), `{ posts { title } }`, 200, `{"data":{"posts":[{"title":"seven"}]}}`},
		{writer("7") + "x", `{ posts { title } }`, 401, `auth/invalid-token`},
		{"Bearer " + tokenOf("another secret of thirty-two bytes and more", fmt.Sprintf(`{"role":"writer","exp":%d}`, exp)), `{ posts { title } }`, 401, `auth/invalid-token`},
		{"Bearer " + tokenOf(secret, fmt.Sprintf(`{"role":"postgres","exp":%d}`, exp)), `{ posts { title } }`, 403, `FORBIDDEN`},
		{"Bearer " + tokenOf(secret, fmt.Sprintf(`{"sub":"7","exp":%d}`, exp)), `{ posts { title } }`, 401, `UNAUTHENTICATED`},
		{"Basic eDp5", `{ posts { title } }`, 401, `auth/invalid-token`},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server, strings.NewReader(fmt.Sprintf(`{"query":%q}`, c.query)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		if c.authorization != "" {
			r.Header.Set("Authorization", c.authorization)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || response.StatusCode != c.status || !strings.Contains(string(body), c.want) {
			t.Errorf("%s: %d %s %v, want %d %s", c.query, response.StatusCode, body, err, c.status, c.want)
		}
	}
	if got := run(t, dir, 0, "query", "--database-url", url, "--role", "writer", "--claims", `{"sub":"7"}`, "{ posts { title } }"); !strings.Contains(got, "seven") || strings.Contains(got, "mine") {
		t.Errorf("the command line gets %s", got)
	}
	if got := run(t, dir, 0, "query", "--database-url", url, "{ posts { title } }"); !strings.Contains(got, "seven") || strings.Contains(got, "mine") {
		t.Errorf("nobody, who is a visitor here as well, gets %s", got)
	}
	if got := run(t, dir, 5, "query", "--database-url", url, "--claims", `{"sub":"7"}`, "{ posts { title } }"); strings.Contains(got, "seven") {
		t.Errorf("somebody without a role gets %s", got)
	}
	write(t, dir, "fraiseql.toml", in.Replace("[auth]\ndefault_role = \"writer\"\n[auth.jwt]\nsecret_file = \"secret\"\n[graphql.roles.writer]\nrole = \"member\"\n[graphql.roles.visitor]\nrole = \"guest\"\n"))
	if got := run(t, dir, 0, "query", "--database-url", url, "--claims", `{"sub":"7"}`, "{ posts { title } }"); !strings.Contains(got, "seven") {
		t.Errorf("somebody of the default role gets %s", got)
	}
	if got := run(t, dir, 5, "query", "--database-url", url, "{ posts { title } }"); strings.Contains(got, "seven") {
		t.Errorf("nobody gets %s", got)
	}
	if got := run(t, dir, 0, "schema", "print", "--database-url", url, "--role", "visitor"); strings.Contains(got, "owner") || strings.Contains(got, "type Mutation") {
		t.Errorf("a visitor's schema is %s", got)
	}
}
