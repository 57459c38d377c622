package graphql_test

import (
	"strings"
)

// refTable is a table of the Chinook database as the reference knows it: written by hand, so that a mistake in
// what the schema makes of the database is seen.
type refTable struct {
	typ, name string
	key       []string
	columns   []refColumn
	relations []refRelation
}

type refColumn struct{ field, name, typ string }

// refRelation leads to rows of target whose column remote equals this row's local, or across a join table.
type refRelation struct {
	field, target string
	many          bool
	local, remote string
	join          string // its columns have the names local and remote
}

// refTables are the tables by the names of their types. A line says: type, table, key, columns; those below it
// a relation: field (with * where it leads to many), target, local and remote column, join table.
var refTables = readTables(`
Album album album_id album_id:int4 title:text artist_id:int4
 artist Artist artist_id artist_id
 tracks* Track album_id album_id
Artist artist artist_id artist_id:int4 name:text
 albums* Album artist_id artist_id
Customer customer customer_id customer_id:int4 first_name:text last_name:text company:text address:text city:text state:text country:text postal_code:text phone:text fax:text email:text support_rep_id:int4
 supportRep Employee support_rep_id employee_id
 invoices* Invoice customer_id customer_id
Employee employee employee_id employee_id:int4 last_name:text first_name:text title:text reports_to:int4 birth_date:timestamp hire_date:timestamp address:text city:text state:text country:text postal_code:text phone:text fax:text email:text
 employeeByReportsTo Employee reports_to employee_id
 customers* Customer employee_id support_rep_id
 employeesByEmployeeByReportsTo* Employee employee_id reports_to
Genre genre genre_id genre_id:int4 name:text
 tracks* Track genre_id genre_id
Invoice invoice invoice_id invoice_id:int4 customer_id:int4 invoice_date:timestamp billing_address:text billing_city:text billing_state:text billing_country:text billing_postal_code:text total:numeric
 customer Customer customer_id customer_id
 invoiceLines* InvoiceLine invoice_id invoice_id
InvoiceLine invoice_line invoice_line_id invoice_line_id:int4 invoice_id:int4 track_id:int4 unit_price:numeric quantity:int4
 invoice Invoice invoice_id invoice_id
 track Track track_id track_id
MediaType media_type media_type_id media_type_id:int4 name:text
 tracks* Track media_type_id media_type_id
Playlist playlist playlist_id playlist_id:int4 name:text
 playlistTracks* PlaylistTrack playlist_id playlist_id
 tracks* Track playlist_id track_id playlist_track
PlaylistTrack playlist_track playlist_id,track_id playlist_id:int4 track_id:int4
 playlist Playlist playlist_id playlist_id
 track Track track_id track_id
Track track track_id track_id:int4 name:text album_id:int4 media_type_id:int4 genre_id:int4 composer:text milliseconds:int4 bytes:int4 unit_price:numeric
 album Album album_id album_id
 genre Genre genre_id genre_id
 mediaType MediaType media_type_id media_type_id
 invoiceLines* InvoiceLine track_id track_id
 playlistTracks* PlaylistTrack track_id track_id
 playlists* Playlist track_id playlist_id playlist_track
`)

// refTypes are the names of the types in the order in which they are written.
var refTypes = []string{"Album", "Artist", "Customer", "Employee", "Genre", "Invoice", "InvoiceLine", "MediaType", "Playlist", "PlaylistTrack", "Track"}

func readTables(text string) map[string]*refTable {
	tables := map[string]*refTable{}
	var t *refTable
	for line := range strings.Lines(strings.TrimSpace(text)) {
		words := strings.Fields(line)
		if line[0] == ' ' {
			field, many := strings.CutSuffix(words[0], "*")
			r := refRelation{field: field, many: many, target: words[1], local: words[2], remote: words[3]}
			if len(words) > 4 {
				r.join = words[4]
			}
			t.relations = append(t.relations, r)
			continue
		}
		t = &refTable{typ: words[0], name: words[1], key: strings.Split(words[2], ",")}
		for _, c := range words[3:] {
			name, typ, _ := strings.Cut(c, ":")
			t.columns = append(t.columns, refColumn{field: camelCase(name), name: name, typ: typ})
		}
		tables[t.typ] = t
	}
	return tables
}

func camelCase(name string) string {
	words := strings.Split(name, "_")
	for i, w := range words[1:] {
		words[i+1] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, "")
}

func (t *refTable) column(field string) *refColumn {
	for i := range t.columns {
		if t.columns[i].field == field {
			return &t.columns[i]
		}
	}
	return nil
}

func (t *refTable) relation(field string) *refRelation {
	for i := range t.relations {
		if t.relations[i].field == field {
			return &t.relations[i]
		}
	}
	return nil
}

// refForms are the endings of the names of types that stand for other forms of a list.
var refForms = []string{"Connection", "Aggregate", "Group"}

// refTarget gives the table and the form that a field's type means.
func refTarget(typeName string) (t *refTable, form string) {
	for _, form := range refForms {
		if base, is := strings.CutSuffix(typeName, form); is {
			return refTables[base], form
		}
	}
	return refTables[typeName], ""
}
