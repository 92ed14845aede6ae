package postgres

import "strings"

// statements are all that is sent, with the schema's name in them. Columns are named: "*" breaks in sessions
// that are open while a migration adds one.
//
// How one is carried out must not hang on the statistics of the tables, which may be old or missing (pg_upgrade, a restored
// dump, a table that grows quickly): the server would then read a whole table for a few rows. OFFSET 0 keeps what stands in a
// LATERAL as it is, a look into an index for each row; a group's transaction forbids the walk in its settings.
//
// Functions are named with their schema: one of the same name in a schema of the search_path that fits the arguments better would run as
// this role. An unnest of several lists is a part of the language, and no function. What checkPath admits leaves the operators and types alone.
type statements struct {
	register, unregister string

	begin, lockFlows, openKeys, written string
	update, insert, insertNames, raise  string

	get, byKey, named, due string
	claim, take, giveUp    string
	list, count, standings string
	prune                  string
	leave, collect, drop   string

	placeStatements
}

// columns are those of a row.
const columns = `f.id, f.version, f.merchant, f.operation, f.payment, f.provider, f.names, f.open, f.due, f.at, f.state, f.standing, f.since`

// listed are those of a row in a list.
const listed = `f.id, f.version, f.merchant, f.operation, f.payment, f.provider, '{}'::bytea[], f.open, f.due, f.at, ''::bytea, f.standing, f.since`

// held is true of a flow that another process holds whose lease has not ended. The token is $1.
const held = `(f.owner IS NOT NULL AND f.owner <> $1 AND EXISTS (SELECT 1 FROM {schema}.owner o WHERE o.token = f.owner AND o.until > pg_catalog.now()))`

// flushed makes the commit of its transaction wait for the disk, though the role, or a program that had the pooled session
// before, has set synchronous_commit = off: it could be lost after its request was sent.
const flushed = `pg_catalog.set_config('synchronous_commit', CASE pg_catalog.current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE pg_catalog.current_setting('synchronous_commit') END, true)`

func newStatements(schema string) statements {
	in := func(text string) string { return strings.ReplaceAll(text, "{schema}", schema) }
	return statements{
		register:   in(`INSERT INTO {schema}.owner (token, name, until) VALUES ($1, $2, pg_catalog.now() + $3::interval)`),
		unregister: in(`DELETE FROM {schema}.owner WHERE token = $1 OR until < pg_catalog.now() - $2::interval`),

		begin: in(`UPDATE {schema}.owner SET written = $2, until = pg_catalog.now() + $3::interval WHERE token = $1 AND written = $2 - 1
			AND NOT EXISTS (SELECT 1 FROM {schema}.journal WHERE lost <> '')`),
		written:  in(`SELECT written FROM {schema}.owner WHERE token = $1 FOR UPDATE`),
		openKeys: in(`SELECT f.key, f.id FROM {schema}.flow f WHERE f.key = ANY ($1::bytea[]) AND f.open AND f.payment <> ''`),
		lockFlows: in(`SELECT f.id, f.version, f.merchant, f.operation, f.payment, f.provider, f.names, f.open, ` + held + `
			FROM {schema}.flow f WHERE f.id = ANY ($2::text[]) ORDER BY f.id FOR UPDATE OF f`),
		update: in(`UPDATE {schema}.flow f SET version = u.version, open = u.open, due = u.due, at = u.at, standing = u.standing, since = u.since,
				state = u.state, tombstone = u.tombstone, pruned = false, names = coalesce(u.names::bytea[], f.names),
				owner = CASE WHEN u.open THEN $1 END, fence = f.fence + (u.open AND f.owner IS DISTINCT FROM $1)::int
			FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bool[], $6::timestamptz[], $7::timestamptz[], $8::text[], $9::timestamptz[], $10::bytea[], $11::bytea[], $12::text[])
				AS u (id, was, version, open, due, at, standing, since, state, tombstone, names)
			WHERE f.id = u.id AND f.version = u.was`),
		insert: in(`INSERT INTO {schema}.flow (id, version, open, due, at, standing, since, state, tombstone, names, merchant, operation, payment, provider, key, owner, fence)
			SELECT u.id, u.version, u.open, u.due, u.at, u.standing, u.since, u.state, u.tombstone, u.names::bytea[], u.merchant, u.operation, u.payment, u.provider, u.key,
				CASE WHEN u.open THEN $1 END, 1
			FROM unnest($2::text[], $3::bigint[], $4::bool[], $5::timestamptz[], $6::timestamptz[], $7::text[], $8::timestamptz[], $9::bytea[], $10::bytea[], $11::text[],
				$12::text[], $13::text[], $14::text[], $15::text[], $16::bytea[]) WITH ORDINALITY
				AS u (id, version, open, due, at, standing, since, state, tombstone, names, merchant, operation, payment, provider, key, nth)
			ORDER BY u.nth ON CONFLICT DO NOTHING`),
		insertNames: in(`INSERT INTO {schema}.name (hash, id) SELECT u.hash, u.id FROM unnest($1::bytea[], $2::text[]) AS u (hash, id) ON CONFLICT DO NOTHING`),
		raise: in(`UPDATE {schema}.flow f SET version = u.version FROM unnest($1::text[], $2::bigint[]) AS u (id, version)
			WHERE f.id = u.id AND f.version < u.version`),

		get: in(`SELECT ` + columns + ` FROM {schema}.flow f WHERE f.id = $1`),
		byKey: in(`SELECT ` + columns + `, f.key FROM pg_catalog.unnest($1::bytea[]) AS u (key) CROSS JOIN LATERAL (
				SELECT ` + columns + `, f.n, f.key FROM {schema}.flow f WHERE f.key = u.key AND f.open AND f.payment <> ''
				UNION ALL SELECT ` + columns + `, f.n, f.key FROM {schema}.flow f WHERE f.key = u.key AND NOT (f.open AND f.payment <> '') OFFSET 0) f ORDER BY f.n`),
		named: in(`SELECT ` + columns + `, u.hash FROM pg_catalog.unnest($1::bytea[]) AS u (hash) CROSS JOIN LATERAL (SELECT m.id FROM {schema}.name m WHERE m.hash = u.hash OFFSET 0) m
			CROSS JOIN LATERAL (SELECT ` + columns + `, f.n FROM {schema}.flow f WHERE f.id = m.id OFFSET 0) f ORDER BY f.n`),
		due: in(`SELECT ` + columns + ` FROM {schema}.flow f WHERE f.due IS NOT NULL AND f.due <= $1 AND (f.due, f.id) > ($2, $3) ORDER BY f.due, f.id LIMIT $4`),
		// Rows of this process are read and not written. The row's place saves a look into the index, or a walk over the whole table.
		claim: in(`WITH free AS MATERIALIZED (
				SELECT f.ctid AS place, f.owner IS NOT DISTINCT FROM $1 AS own
				FROM {schema}.flow f WHERE f.due IS NOT NULL AND f.due <= $2 AND (f.due, f.id) > ($3, $4) AND NOT ` + held + `
					AND (f.owner IS DISTINCT FROM $1 OR f.due < pg_catalog.now() - $5::interval)
				ORDER BY f.due, f.id LIMIT $6 FOR UPDATE OF f SKIP LOCKED),
			taken AS (
				UPDATE {schema}.flow f SET owner = $1, fence = f.fence + 1 WHERE f.ctid = ANY (ARRAY(SELECT place FROM free WHERE NOT own)) RETURNING ` + columns + `)
			SELECT ` + columns + ` FROM taken f
			UNION ALL SELECT ` + columns + ` FROM {schema}.flow f WHERE f.ctid = ANY (ARRAY(SELECT place FROM free WHERE own))`),
		take: in(`WITH taken AS (
				UPDATE {schema}.flow f SET owner = $1, fence = f.fence + 1
				WHERE f.id = $2 AND f.open AND f.owner IS DISTINCT FROM $1 AND NOT ` + held + ` RETURNING f.id)
			SELECT ` + columns + `, f.open AND ` + held + ` AND NOT EXISTS (SELECT 1 FROM taken) FROM {schema}.flow f WHERE f.id = $2`),

		giveUp: in(`UPDATE {schema}.flow SET owner = NULL WHERE id = $2 AND owner = $1`),

		list:      in(`SELECT ` + listed + ` FROM {schema}.flow f WHERE `),
		count:     in(`SELECT f.standing, f.merchant, f.provider, pg_catalog.count(*), pg_catalog.min(f.since) FROM {schema}.flow f WHERE `),
		standings: in(`SELECT pg_catalog.min(f.standing) FROM {schema}.flow f WHERE f.standing > $1`),

		prune: in(`WITH gone AS (
				SELECT f.id, f.provider, f.names, f.tombstone FROM {schema}.flow f WHERE f.due IS NULL AND NOT f.pruned AND f.at < $1
				ORDER BY f.at LIMIT $2 FOR UPDATE OF f SKIP LOCKED),
			names AS (
				DELETE FROM {schema}.name m USING gone, pg_catalog.unnest(gone.names) AS u (name), LATERAL (SELECT m.ctid AS place FROM {schema}.name m
					WHERE m.hash = pg_catalog.sha256(pg_catalog.convert_to(gone.provider, 'UTF8') || pg_catalog.decode('00', 'hex') || u.name) AND m.id = gone.id OFFSET 0) n
				WHERE m.ctid = n.place),
			buried AS (
				UPDATE {schema}.flow f SET state = f.tombstone, tombstone = NULL, names = '{}', pruned = true
				FROM gone WHERE f.id = gone.id AND pg_catalog.length(gone.tombstone) > 0 RETURNING 1),
			deleted AS (
				DELETE FROM {schema}.flow f USING gone WHERE f.id = gone.id AND coalesce(pg_catalog.length(gone.tombstone), 0) = 0 RETURNING 1)
			SELECT (SELECT pg_catalog.count(*) FROM buried) + (SELECT pg_catalog.count(*) FROM deleted)`),

		leave: in(`WITH flushed AS (SELECT ` + flushed + `) INSERT INTO {schema}.message (id, body) SELECT $1, $2 FROM flushed`),
		collect: in(`UPDATE {schema}.message m SET tries = m.tries + 1, after = pg_catalog.now() + pg_catalog.make_interval(secs => least(60, 2 + 2 * m.tries))
			WHERE m.n IN (
				SELECT m.n FROM {schema}.message m LEFT JOIN LATERAL (SELECT f.owner FROM {schema}.flow f WHERE f.id = m.id OFFSET 0) f ON true
				WHERE m.after <= pg_catalog.now() AND NOT coalesce(` + held + `, false) ORDER BY m.n LIMIT $2 FOR UPDATE OF m SKIP LOCKED)
			RETURNING m.n, m.id, m.body`),
		drop: in(`DELETE FROM {schema}.message WHERE n = ANY ($1::bigint[])`),

		placeStatements: newPlaceStatements(in),
	}
}
