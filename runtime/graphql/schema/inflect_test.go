package schema

import "testing"

// TestSingularAndPlural has words that tables are called by, singular and plural.
func TestSingularAndPlural(t *testing.T) {
	t.Parallel()
	for one, many := range map[string]string{
		"album": "albums", "city": "cities", "country": "countries", "day": "days", "box": "boxes", "match": "matches", "dish": "dishes",
		"address": "addresses", "process": "processes", "class": "classes", "status": "statuses", "bonus": "bonuses", "virus": "viruses",
		"campus": "campuses", "analysis": "analyses", "bus": "buses", "house": "houses", "cause": "causes", "warehouse": "warehouses",
		"person": "people", "child": "children", "man": "men", "woman": "women", "human": "humans", "mouse": "mice",
		"drive": "drives", "wave": "waves", "curve": "curves", "archive": "archives", "reserve": "reserves", "leaf": "leaves", "shelf": "shelves",
		"life": "lives", "cafe": "cafes", "safe": "safes", "move": "moves", "movie": "movies", "cookie": "cookies",
		"quota": "quotas", "meta": "metas", "schema": "schemas", "idea": "ideas", "area": "areas", "pizza": "pizzas",
		"photo": "photos", "video": "videos", "tomato": "tomatoes", "canvas": "canvases", "lens": "lenses", "gas": "gases", "menu": "menus",
		"index": "indices", "matrix": "matrices", "alias": "aliases", "quiz": "quizzes", "query": "queries", "key": "keys", "price": "prices",
		"database": "databases", "purchase": "purchases", "release": "releases", "course": "courses", "expense": "expenses", "license": "licenses",
		"invoice": "invoices", "type": "types", "image": "images", "message": "messages", "category": "categories", "reply": "replies",
	} {
		if got := singular(many); got != one {
			t.Errorf("one of %q is %q, want %q", many, got, one)
		}
		if got := singular(one); got != one {
			t.Errorf("%q becomes %q", one, got)
		}
		if got := plural(one); got != many {
			t.Errorf("several of %q are %q, want %q", one, got, many)
		}
		if got := plural(many); got != many {
			t.Errorf("%q becomes %q", many, got)
		}
	}
	for _, word := range []string{"series", "species", "news", "data", "metadata", "media", "equipment", "sheep"} {
		if singular(word) != word || plural(word) != word {
			t.Errorf("%q becomes %q and %q", word, singular(word), plural(word))
		}
	}
}

func TestNamesOfLists(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Album": "albums", "MediaType": "mediaTypes", "Series": "seriesList", "TimeSeries": "timeSeriesList", "Child": "children", "OrderChild": "orderChildren",
		"HRItem": "hRItems", "CRMContact": "cRMContacts", "HRStatus": "hRStatuses", "HR": "hRs", "X": "xes", "Item2": "item2List", "Crm_Contact": "crm_Contacts", "crm_contact": "crm_contacts", "A1B": "a1Bs",
	} {
		if got := pluralOf(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
