package main

// query is a statement that returns a whole answer as one text value.
type query struct {
	variable string // the one that $1 stands for; empty when there is none
	sql      string
	claims   string // of who asks, for row security; empty when nobody is asked
}

// asReader makes a statement one of the transaction's that run as a role, with claims.
const asReader = "SELECT set_config('role', 'bench_reader', true), set_config('request.jwt.claims', $1, true)"

var queries = map[string]query{
	"row-by-key": {"id", `
SELECT '{"data":{"user":' || coalesce((
  SELECT row_to_json(u)::text FROM (
    SELECT id, username, email, full_name AS "fullName", country, reputation
    FROM users WHERE id = $1::int) u), 'null') || '}}'`, ""},

	"guarded": {"id", `
SELECT '{"data":{"member":' || coalesce((
  SELECT row_to_json(u)::text FROM (
    SELECT id, username, email, full_name AS "fullName", country, reputation
    FROM guarded.members WHERE id = $1::int) u), 'null') || '}}'`, `{"sub":"7","role":"bench_reader","tenant":"blog"}`},

	"list-of-20": {"", `
SELECT '{"data":{"posts":' || coalesce(json_agg(p)::text, '[]') || '}}' FROM (
  SELECT id, title, slug, status, view_count AS "viewCount", created_at AS "createdAt"
  FROM posts ORDER BY created_at DESC, id DESC LIMIT 20) p`, ""},

	"nested": {"offset", nested("ORDER BY id LIMIT 10 OFFSET $1::int"), ""},

	"nested-by-key": {"after", nested("WHERE id > $1::int ORDER BY id LIMIT 10"), ""},

	"filter-aggregate": {"author", `
SELECT '{"data":' || row_to_json(r)::text || '}' FROM (
  SELECT (SELECT json_build_object('count', count(*), 'sum', json_build_object('viewCount', sum(view_count)),
                                   'max', json_build_object('rating', max(rating)))
          FROM posts WHERE author_id = $1::int AND status = 'published') AS "postsAggregate",
         (SELECT coalesce(json_agg(n), '[]') FROM (
            SELECT id, title, view_count AS "viewCount" FROM posts
            WHERE author_id = $1::int AND status = 'published'
            ORDER BY created_at DESC LIMIT 10) n) AS posts) r`, ""},

	"insert": {"post", `
WITH c AS (
  INSERT INTO comments (post_id, author_id, body)
  VALUES ($1::int, 7, 'Something that somebody has to say about a post, of about the usual length.')
  RETURNING id, author_id, body, created_at)
SELECT '{"data":{"createComment":' || row_to_json(r)::text || '}}' FROM (
  SELECT c.id, c.body, c.created_at AS "createdAt", json_build_object('fullName', a.full_name) AS author
  FROM c JOIN users a ON a.id = c.author_id) r`, ""},

	"update": {"id", `
WITH u AS (UPDATE users SET reputation = reputation + 1 WHERE id = $1::int RETURNING id, username, reputation)
SELECT '{"data":{"updateUser":' || coalesce((SELECT row_to_json(u)::text FROM u), 'null') || '}}'`, ""},

	"thousand-rows": {"offset", `
SELECT '{"data":{"users":' || coalesce(json_agg(u)::text, '[]') || '}}' FROM (
  SELECT id, username, email, full_name AS "fullName", bio, country, reputation, created_at AS "createdAt"
  FROM users ORDER BY id LIMIT 1000 OFFSET $1::int) u`, ""},
}

// nested reads ten users, chosen by page, with five posts each and three comments on each post.
func nested(page string) string {
	return `
SELECT '{"data":{"users":' || coalesce(json_agg(u)::text, '[]') || '}}' FROM (
  SELECT u.id, u.full_name AS "fullName", p.posts
  FROM (SELECT id, full_name FROM users ` + page + `) u
  CROSS JOIN LATERAL (
    SELECT coalesce(json_agg(p), '[]') AS posts FROM (
      SELECT p.id, p.title, c.comments
      FROM (SELECT id, title FROM posts WHERE author_id = u.id ORDER BY created_at DESC LIMIT 5) p
      CROSS JOIN LATERAL (
        SELECT coalesce(json_agg(c), '[]') AS comments FROM (
          SELECT c.id, c.body, json_build_object('fullName', a.full_name) AS author
          FROM (SELECT id, body, author_id FROM comments WHERE post_id = p.id ORDER BY created_at DESC LIMIT 3) c
          JOIN users a ON a.id = c.author_id) c) c) p) p) u`
}
