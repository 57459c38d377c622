// Package graphiql serves GraphiQL, the in-browser GraphQL editor, from the binary itself: a page and
// its assets, with nothing fetched from elsewhere.
package graphiql

import (
	"embed"
	"net/http"
	"path"
	"strings"
)

// The assets are the files of the npm packages graphiql, react and react-dom, compressed; their
// licences stand beside them.
//
//go:embed assets
var assets embed.FS

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>fraiseql</title>
<link rel="stylesheet" href="BASE/assets/graphiql.min.css">
<style>html, body, #graphiql { height: 100%; margin: 0 }</style>
</head>
<body>
<div id="graphiql" data-endpoint="BASE"STREAMS>Loading…</div>
<script src="BASE/assets/react.production.min.js"></script>
<script src="BASE/assets/react-dom.production.min.js"></script>
<script src="BASE/assets/graphiql.min.js"></script>
<script src="BASE/assets/start.js"></script>
</body>
</html>
`

const start = `(function () {
  var root = document.getElementById('graphiql');
  var options = { url: root.dataset.endpoint };
  if ('subscriptions' in root.dataset) {
    options.subscriptionUrl = new URL(options.url, location.href.replace(/^http/, 'ws')).href;
  }
  var fetcher = GraphiQL.createFetcher(options);
  ReactDOM.createRoot(root).render(React.createElement(GraphiQL, { fetcher: fetcher, shouldPersistHeaders: false }));
})();
`

// policy lets the page load and call its own origin only. The editor sets styles on elements.
const policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
	"connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"

// Page serves the editor for the API at endpoint, which may have subscriptions.
func Page(endpoint string, subscriptions bool) http.Handler {
	streams := ""
	if subscriptions {
		streams = " data-subscriptions"
	}
	text := strings.NewReplacer("BASE", endpoint, "STREAMS", streams).Replace(page)
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write([]byte(text)) // a browser that has gone needs no page
	})
}

// Assets serves what the page loads. The files are stored compressed, which every browser reads.
func Assets(prefix string) http.Handler {
	types := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, prefix)
		w.Header().Set("Content-Type", types[path.Ext(name)])
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if name == "start.js" {
			_, _ = w.Write([]byte(start))
			return
		}
		content, err := assets.ReadFile("assets/" + path.Base(name) + ".gz")
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Cache-Control", "max-age=86400")
		_, _ = w.Write(content)
	})
}
