package graphql

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/execute"
	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
	"github.com/fraiseql/fraiseql/runtime/graphql/trusted"
)

// What clients register is bounded, as anybody may who may ask. A text that has gone is sent again by the next client
// that wants it: Apollo's protocol is made for that.
const (
	registeredTexts = 10_000
	registeredBytes = 32 << 20
	registeredFrame = 256 // bytes beside a text: its digest and its places
)

// SharedTexts keeps texts that several servers are to know. What it does not know, or cannot tell now, clients send again.
type SharedTexts interface {
	// Get reads a text, which then lives on for so long.
	Get(ctx context.Context, key string, live time.Duration) (text string, known bool, err error)
	Set(ctx context.Context, key, text string, live time.Duration) error
}

// persisted are the documents that requests may name in place of sending them.
type persisted struct {
	trusted *trusted.Documents
	only    bool // no others are run

	shared SharedTexts // of all servers; nil is none
	live   time.Duration
	prefix string

	// registered are the texts that clients have sent with their digests, for each role by its name in tokens: what a
	// text of another role's asks for would be told by the errors that it gives. Nil where clients register none.
	registered map[string]*lru[string]
}

func newPersisted(c Config, deps Deps) persisted {
	p := persisted{trusted: deps.Documents, only: c.only()}
	if c.Persisted == nil || !c.Persisted.On() || c.Persisted.APQ != nil && !*c.Persisted.APQ {
		return p
	}
	p.shared, p.live, p.prefix = deps.Texts, c.Persisted.TTL, c.Persisted.Prefix
	p.registered = map[string]*lru[string]{}
	roles := c.DatabaseRoles()
	for name := range roles {
		p.registered[name] = newLRU[string](registeredTexts/len(roles), registeredBytes/len(roles))
	}
	return p
}

// Serve answers a request of a client, who may name a document in place of sending it, and must where no others are run.
func (s *Service) Serve(ctx context.Context, r transport.Request) transport.Response {
	a, refused := s.admit(r.Principal)
	if refused == nil {
		refused = s.known.find(ctx, a.name, &r)
	}
	if refused != nil {
		return *refused
	}
	return s.execute(ctx, a, r)
}

// find puts the text in the place of its name. A digest stays where its text came along, to be registered when that has
// turned out to be valid.
func (p *persisted) find(ctx context.Context, role string, r *transport.Request) *transport.Response {
	if r.Query == "" {
		for _, id := range []string{r.DocumentID, r.Digest} {
			if text, known := p.trusted.Text(id); known {
				r.Query, r.DocumentID, r.Digest = text, "", ""
				return nil
			}
		}
	}
	switch {
	case p.only && r.Query == "" && (r.DocumentID != "" || r.Digest != ""):
		return refusal(plan.Forbidden, unknown(r.DocumentID+r.Digest)+", and this server runs no others: `[graphql.persisted] only` is on, and its documents are read at the start")
	case p.only:
		return refusal(plan.Forbidden, "this server runs the documents that it knows, and no text that is sent: name one by documentId (`[graphql.persisted] only` is on)")
	case r.DocumentID != "" && p.trusted.Len() == 0:
		return refusal(plan.UnknownDocument, "this server has no documents that a documentId could name: `[graphql.persisted] dir` is the folder of them; send the query")
	case r.DocumentID != "":
		return refusal(plan.UnknownDocument, unknown(r.DocumentID)+": send the query, or have the document put into the folder of `[graphql.persisted] dir`, which is read at the start")
	case r.Digest == "":
		return nil
	case p.registered == nil: // clients look for these words, here and below
		refused := refusal(plan.NoDigests, "PersistedQueryNotSupported")
		refused.SendText = true
		return refused
	case r.Query != "":
		return nil
	}
	text, known := p.registered[role].get(r.Digest)
	if !known {
		text, known = p.fetch(ctx, role, r.Digest)
	}
	if !known {
		refused := refusal(plan.UnknownDocument, "PersistedQueryNotFound")
		refused.SendText = true
		return refused
	}
	r.Query, r.Digest = text, ""
	return nil
}

func unknown(id string) string {
	return "there is no document with the id " + strconv.Quote(plan.Shorten(id, 80))
}

func refusal(code, message string) *transport.Response {
	return &transport.Response{Result: execute.Result{Errors: gqlerror.List{plan.Problem(code, message, nil)}}}
}

// fetch finds a text that another server may have kept. It is taken only if it has the digest: whoever else may write
// there names nothing new by it.
func (p *persisted) fetch(ctx context.Context, role, digest string) (string, bool) {
	if p.shared == nil {
		return "", false
	}
	text, known, err := p.shared.Get(ctx, p.key(role, digest), p.live)
	if sum := sha256.Sum256([]byte(text)); err != nil || !known || hex.EncodeToString(sum[:]) != digest {
		return "", false
	}
	p.registered[role].put(digest, text, len(text)+registeredFrame)
	return text, true
}

// key is that of a text among those of all servers.
func (p *persisted) key(role, digest string) string {
	return p.prefix + strconv.Quote(role) + ":" + digest
}

// register keeps the text of a request that is valid by its digest, for its role.
func (p *persisted) register(ctx context.Context, role string, r transport.Request) {
	texts := p.registered[role]
	if texts == nil {
		return
	}
	if _, known := texts.get(r.Digest); !known {
		// The text may be a piece of something larger, such as the address of a GET.
		texts.put(r.Digest, strings.Clone(r.Query), len(r.Query)+registeredFrame)
		if p.shared != nil {
			_ = p.shared.Set(ctx, p.key(role, r.Digest), r.Query, p.live) // another server is sent it again then
		}
	}
}

// Misfits tells of the trusted documents that no role could run with the schema as it is now. They are refused when they
// are asked for; a change of the schema may mend them.
func (s *Service) Misfits() []schema.Warning {
	now := s.pictures.Load()
	if now == nil {
		return nil
	}
	var list []schema.Warning
	for _, d := range s.known.trusted.All() {
		if why := s.misfit(now, d.Text); why != "" {
			list = append(list, schema.Warning{
				Code: "graphql/document-invalid", Subject: d.File, Message: "this trusted document will be refused: " + why,
				Hint: "mend it, or take it out of the folder of [graphql.persisted] dir",
			})
		}
	}
	if s.known.only && s.known.trusted.Len() == 0 {
		list = append(list, schema.Warning{
			Code: "graphql/no-documents", Subject: "graphql.persisted", Message: "with `only` nothing is run but trusted documents, and there are none in the folder",
			Hint: "put *.graphql files or a manifest into it",
		})
	}
	return list
}

// misfit says why no role can run a text; empty when one can. The reason is the first role's.
func (s *Service) misfit(now *pictures, text string) string {
	why := ""
	for _, p := range now.sorted() {
		introspects := s.config.introspection(s.deps.Dev, p.name)
		d, list := plan.Parse(p.schema, text, s.config.planLimits(), introspects)
		switch {
		case list == nil && (d.Introspects() == nil || introspects):
			return ""
		case why != "":
		case list == nil:
			why = placed("introspection is off on this server", d.Introspects())
		default:
			why = list[0].Message
			if at := list[0].Locations; len(at) > 0 {
				why = placed(why, &ast.Position{Line: at[0].Line, Column: at[0].Column})
			}
		}
	}
	return why
}

func placed(why string, at *ast.Position) string {
	return fmt.Sprintf("%s (line %d, column %d)", why, at.Line, at.Column)
}
