package schema

import (
	"strings"

	"github.com/jinzhu/inflection"
)

// irregular are words that the library's rules, or ours, would get wrong: singular to plural.
var irregular = map[string]string{
	"knife": "knives", "wife": "wives", "life": "lives", "half": "halves", "shelf": "shelves", "wolf": "wolves", "leaf": "leaves",
	"thief": "thieves", "loaf": "loaves", "calf": "calves", "elf": "elves", "self": "selves", "scarf": "scarves", "hoof": "hooves",
	"human": "humans", "german": "germans", "roman": "romans", "shaman": "shamans", "talisman": "talismans",
	"specimen": "specimens", "regimen": "regimens", "omen": "omens",
	"canvas": "canvases", "atlas": "atlases", "gas": "gases", "bias": "biases", "lens": "lenses", "focus": "focuses", "circus": "circuses",
	"menu": "menus", "guru": "gurus", "taxi": "taxis", "ski": "skis", "emoji": "emojis", "api": "apis", "kpi": "kpis", "uri": "uris",
	"data": "data", "metadata": "metadata", "media": "media", "criteria": "criteria", "chaos": "chaos", "news": "news",
	"bus": "buses", "foot": "feet", "tooth": "teeth", "goose": "geese", "cookie": "cookies", "movie": "movies", "tie": "ties", "die": "dice",
}

var regular = func() map[string]string {
	back := map[string]string{}
	for one, many := range irregular {
		back[many] = one
	}
	return back
}()

// singular gives the word for one of many; a word that is singular stays.
func singular(word string) string {
	if one, ok := regular[word]; ok {
		return one
	}
	if _, ok := irregular[word]; ok {
		return word
	}
	switch {
	case endsIn(word, "ss", "us", "is", "a"): // address, status, analysis, quota
		return word
	case endsIn(word, "ves"): // drives, waves: the library would make drife of it
		return strings.TrimSuffix(word, "s")
	case endsIn(word, "uses") && !endsIn(word, "ouses", "auses", "fuses", "cuses", "muses") && word != "uses": // bonuses
		return strings.TrimSuffix(word, "es")
	}
	return inflection.Singular(word)
}

// plural gives the word for many; a word that is a plural, or has none, stays.
func plural(word string) string {
	if many, ok := irregular[word]; ok {
		return many
	}
	switch {
	case singular(word) != word:
		return word
	case endsIn(word, "a", "fe", "lf", "rf"): // quota, cafe, golf
		return word + "s"
	case endsIn(word, "us"): // virus: viruses
		return word + "es"
	}
	return inflection.Plural(word)
}

func endsIn(word string, endings ...string) bool {
	for _, e := range endings {
		if strings.HasSuffix(word, e) {
			return true
		}
	}
	return false
}
