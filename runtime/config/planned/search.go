package planned

import (
	"maps"
	"slices"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/config"
)

// Search is the table [search].
type Search struct {
	config.Switch
	Backend  string           `toml:"backend" default:"postgres" enum:"postgres,meilisearch,algolia" doc:"What holds the indexes, unless an index says otherwise."`
	Language string           `toml:"language" default:"simple" doc:"The text search configuration of indexes that name none."`
	URL      string           `toml:"url" form:"url" doc:"meilisearch: its address."`
	URLFrom  config.Secret    `toml:"url" doc:"meilisearch: where the address is when it is not in the file."`
	AppID    string           `toml:"app_id" doc:"algolia: the application."`
	APIKey   config.Secret    `toml:"api_key" doc:"meilisearch, algolia: the key."`
	Indexes  map[string]Index `toml:"indexes" doc:"The indexes by name."`
}

// Check wants the keys of the backends in use.
func (s *Search) Check(r *config.Report) {
	config.CheckNames(r.At("indexes"), s.Indexes, "/search")
	used := map[string]string{s.Backend: "backend"}
	for _, name := range slices.Sorted(maps.Keys(s.Indexes)) {
		if b := s.Indexes[name].Backend; b != "" && used[b] == "" {
			used[b] = "indexes." + name + ".backend"
		}
	}
	if key := used["meilisearch"]; key != "" && s.URL == "" && !s.URLFrom.Given() {
		r.Error(key, "config/missing-key", "meilisearch needs `url` in [search]", `url_env = "MEILISEARCH_URL"`)
	}
	if key := used["algolia"]; key != "" && (s.AppID == "" || !s.APIKey.Given()) {
		r.Error(key, "config/missing-key", "algolia needs `app_id` and `api_key_env` in [search]", `api_key_env = "ALGOLIA_API_KEY"`)
	}
}

// Index is the table [search.indexes.NAME].
type Index struct {
	config.Switch
	Entity     string              `toml:"entity" doc:"What is indexed: GraphQL type or \"schema.table\". Default: the index's name."`
	Backend    string              `toml:"backend" enum:"postgres,meilisearch,algolia" doc:"What holds it."`
	Mode       string              `toml:"mode" default:"automatic" enum:"automatic,manual" doc:"automatic follows every commit; manual takes documents by the API."`
	Where      string              `toml:"where" doc:"Condition on rows that are indexed."`
	Searchable []string            `toml:"searchable" doc:"Columns that are searched. Default: all of text."`
	Filterable []string            `toml:"filterable" doc:"Columns that can be filtered by."`
	Sortable   []string            `toml:"sortable" doc:"Columns that can be sorted by."`
	Facets     []string            `toml:"facets" doc:"Columns whose values are counted."`
	Weights    map[string]string   `toml:"weights" enum:"A,B,C,D" doc:"How much a column counts: A most, D least."`
	Language   string              `toml:"language" doc:"Its text search configuration."`
	PrimaryKey []string            `toml:"primary_key" doc:"What names a document. Default: the table's key."`
	Synonyms   map[string][]string `toml:"synonyms" doc:"Words that mean the same."`
	ReindexOn  []string            `toml:"reindex_on" doc:"Other entities whose changes touch it: \"User via author_id\"."`
}

// Check wants relations that can be followed.
func (i *Index) Check(r *config.Report) {
	for n, on := range i.ReindexOn {
		if words := strings.Fields(on); len(words) != 3 || words[1] != "via" {
			r.Error("reindex_on", "config/bad-value", "entry "+ordinal(n)+" of `reindex_on` is not ENTITY via COLUMN", `reindex_on = ["User via author_id"]`)
		}
	}
}

func ordinal(n int) string {
	words := []string{"one", "two", "three", "four", "five"}
	if n < len(words) {
		return words[n]
	}
	return "further on"
}
