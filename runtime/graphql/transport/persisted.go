package transport

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
)

// named tells whether a request names its document.
func (r *Request) named() bool { return r.DocumentID != "" || r.Digest != "" }

// settle takes what it knows out of a request's extensions and judges whether the request means one document.
func (r *Request) settle(extensions map[string]any) *refusal {
	var bad *refusal
	if r.Digest, bad = digestOf(extensions); bad != nil {
		return bad
	}
	r.Cost, _ = extensions["cost"].(bool)
	switch {
	case r.DocumentID != "" && r.Query != "":
		return refuse(http.StatusBadRequest, "the request has a documentId and a query, and two readers could see two documents in it: send one of them")
	case r.DocumentID != "" && r.Digest != "":
		return refuse(http.StatusBadRequest, "the request has a documentId and the digest of extensions.persistedQuery, and they could mean two documents: send one of them")
	case r.Digest != "" && r.Query != "":
		// Else a client could have others run what it likes under the name of what they mean.
		if sum := sha256.Sum256([]byte(r.Query)); hex.EncodeToString(sum[:]) != r.Digest {
			return refuse(http.StatusBadRequest, "provided sha does not match query: extensions.persistedQuery.sha256Hash has to be the SHA-256 of the text as it is sent, in lower-case hexadecimal digits")
		}
	}
	return nil
}

// digestOf reads extensions.persistedQuery, which is Apollo's (https://www.apollographql.com/docs/apollo-server/performance/apq);
// empty when there is none.
func digestOf(extensions map[string]any) (string, *refusal) {
	given, has := extensions["persistedQuery"]
	if !has || given == nil {
		return "", nil
	}
	object, _ := given.(map[string]any)
	digest, _ := object["sha256Hash"].(string)
	if digest == "" {
		return "", refuse(http.StatusBadRequest, "extensions.persistedQuery is not an object with version and sha256Hash")
	}
	if object["version"] != json.Number("1") {
		return "", &refusal{status: http.StatusBadRequest, problem: plan.Problem(plan.NoDigests,
			"unsupported persisted query version: extensions.persistedQuery is understood with version 1, which is the only one that there is", nil)}
	}
	return digest, nil
}
