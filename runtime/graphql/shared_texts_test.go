package graphql_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/redis"
	"github.com/fraiseql/fraiseql/runtime/redis/redistest"
)

// TestServersShareWhatClientsRegister has two servers, a Redis that goes and comes back, and one that holds a wrong text.
func TestServersShareWhatClientsRegister(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	dial := func() *redis.Client {
		c, err := redis.New(server.URL(), quiet)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}
	direct := dial()
	set := func(key, text string) { // whatever it takes
		t.Helper()
		wait(t, func() bool { return direct.Set(t.Context(), key, text, time.Hour) == nil })
	}
	set("other", "")
	config := persisting(graphql.Persisted{Prefix: "apq:", TTL: time.Hour})
	first, pool := openWith(t, config, graphql.Deps{Texts: dial()}, sql(t, items))
	second := graphql.New(config, graphql.Deps{Pool: pool, Schemas: []string{"public"}, Log: quiet, Texts: dial()})
	t.Cleanup(second.Close)
	if err := second.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	a, b := served(t, first, nil), served(t, second, nil)
	const text, data = "{ items { id } }", `{"data":{"items":[{"id":1},{"id":2}]}}`
	key := func(text string) string { return `apq:"":` + digestOf(text) }

	a.post(hashed(text, false)).expect(t, "unknown everywhere", 200, notFound)
	wait(t, func() bool { // the server connects beside requests: what is sent while it does is not shared
		a.post(hashed(text, true)).expect(t, "with its text", 200, data)
		if _, known, _ := direct.Get(t.Context(), key(text), time.Hour); known {
			return true
		}
		fresh := graphql.New(config, graphql.Deps{Pool: pool, Schemas: []string{"public"}, Log: quiet, Texts: dial()})
		t.Cleanup(fresh.Close)
		if err := fresh.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		a = served(t, fresh, nil)
		a.post(hashed("{ __typename }", true))
		<-time.After(50 * time.Millisecond)
		return false
	})
	wait(t, func() bool { return b.post(hashed(text, false)).body == data })

	for what, wrong := range map[string]string{"another text": "{ items { title } }", "none": "", "one that is cut": "{ items { i"} {
		set(key("{ items { title id } }"), wrong)
		b.post(hashed("{ items { title id } }", false)).expect(t, what+" by its digest", 200, notFound)
	}

	server.Stop()
	b.post(hashed("{ items { title } }", false)).expect(t, "while Redis is away", 200, notFound)
	b.post(hashed("{ items { title } }", true)).expect(t, "the text while it is away", 200, `{"data":{"items":[{"title":"a"}`)
	b.post(hashed("{ items { title } }", false)).expect(t, "that again", 200, `{"data":{"items":[{"title":"a"}`)
	b.post(hashed(text, false)).expect(t, "one from before", 200, data)
	server.Start()
	set("other", "")
	wait(t, func() bool { // and again when it is back
		another := "{ items { id title } } # " + url.QueryEscape(time.Now().String())
		b.post(hashed(another, true)).expect(t, "a new one", 200, `{"data":{"items":[{"id":1,"title":"a"}`)
		got, known, _ := direct.Get(t.Context(), key(another), time.Hour)
		return known && strings.HasPrefix(got, "{ items { id title } }")
	})
}

// TestRolesShareNoTextsByRedis has a text that one role may run: another learns nothing of it by its digest.
func TestRolesShareNoTextsByRedis(t *testing.T) {
	t.Parallel()
	texts, err := redis.New(redistest.Start(t).URL(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(texts.Close)
	wait(t, func() bool { return texts.Set(t.Context(), "other", "", time.Hour) == nil })
	s, _ := roledWith(t, persisting(graphql.Persisted{Prefix: "apq:", TTL: time.Hour}), graphql.Deps{Texts: texts}, tenants)
	const text = "{ items { owner } }"
	wait(t, func() bool { // a Redis that takes its time is passed over for a while
		served(t, s, as("member", "ann")).post(hashed(text, true)).expect(t, "what it may", 200, `{"data":{"items":[{"owner":"ann"}]}}`)
		_, known, err := texts.Get(t.Context(), `apq:"member":`+digestOf(text), time.Hour)
		return known && err == nil
	})
	served(t, s, as("guest", "")).post(hashed(text, false)).expect(t, "another's", 200, notFound)
}
