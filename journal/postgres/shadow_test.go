package postgres

import (
	"context"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/journal"
)

// Who may create functions in a schema of the search_path does not make this role run them, nor replace the server's time: functions that fit
// better, or come first, are not called, and tables of our names are not used.
func TestFunctionsThatShadowTheServersAreNotCalled(t *testing.T) {
	ctx := context.Background()
	sql(t, server.URL(), "CREATE DATABASE shadowed")
	url := database("shadowed")
	const trap = " LANGUAGE plpgsql AS $$ BEGIN RAISE 'a function of a stranger was called'; END $$"
	for _, schema := range []string{"public", "evil"} {
		texts := []string{"CREATE SCHEMA IF NOT EXISTS " + schema}
		for _, f := range []string{
			"now() RETURNS timestamptz", "set_config(text, text, boolean) RETURNS text", "current_setting(text) RETURNS text", "left(text, int) RETURNS text", "sha256(bytea) RETURNS bytea",
			"convert_to(text, text) RETURNS bytea", "convert_to(text, name) RETURNS bytea", "decode(text, text) RETURNS bytea", "length(bytea) RETURNS int", "unnest(bytea[]) RETURNS bytea", "unnest(text[]) RETURNS text",
			"unnest(bigint[]) RETURNS bigint", "pg_current_wal_lsn() RETURNS pg_lsn", "pg_walfile_name(pg_lsn) RETURNS text", "current_database() RETURNS name", "pg_advisory_xact_lock(bigint) RETURNS void",
			"make_interval(int, int, int, int, int, int, int) RETURNS interval", "unit(interval, int) RETURNS interval",
		} {
			texts = append(texts, "CREATE FUNCTION "+schema+"."+f+trap)
		}
		texts = append(texts, "CREATE OPERATOR "+schema+".* (LEFTARG = interval, RIGHTARG = int, FUNCTION = "+schema+".unit)",
			"CREATE AGGREGATE "+schema+".min(text) (SFUNC = textcat, STYPE = text, INITCOND = 'a stranger')", "CREATE AGGREGATE "+schema+".count(*) (SFUNC = int8inc, STYPE = bigint, INITCOND = '1000')",
			"CREATE TABLE "+schema+".flow (n int)", "CREATE TABLE "+schema+".owner (n int)", "CREATE TABLE "+schema+".pg_tables (n int)", "CREATE TABLE "+schema+".pg_database (n int)")
		sql(t, url, texts...)
	}
	for path, schema := range map[string]string{"public": "one", "evil, pg_catalog": "two"} {
		sql(t, url, "ALTER DATABASE shadowed SET search_path = public")
		j := openedAt(t, url, Options{Schema: schema, Migrate: true})
		sql(t, url, "ALTER DATABASE shadowed SET search_path = "+path+", "+schema)
		j.pool.Reset()
		lifeOfARow(t, j)
		if err := j.Leave(ctx, "nowhere", []byte("m")); err != nil {
			t.Error(err)
		}
		if n, err := j.Collect(ctx, func(string, []byte) error { return nil }); n != 1 || err != nil {
			t.Errorf("collected %d, %v", n, err)
		}
		if _, err := j.Mark(ctx); err != nil {
			t.Error(err)
		}
		if all, err := j.Count(ctx, journal.Filter{}); err != nil || len(all) > 0 && all[0].Count > 100 {
			t.Errorf("%v %v", all, err)
		}
		closed(t, j)
	}
	sql(t, url, "ALTER DATABASE shadowed SET search_path = evil, pg_catalog")
	openRefused(t, url, Options{Schema: "one"}, "schema evil comes before pg_catalog")
	sql(t, url, "ALTER DATABASE shadowed SET search_path = public")
	openRefused(t, url+"&search_path=evil,pg_catalog", Options{Schema: "one"}, "comes before pg_catalog")
	closed(t, openedAt(t, url, Options{Schema: "one"}))
	closed(t, openedAt(t, strings.Replace(url, "?", "?search_path=pg_catalog&", 1), Options{Schema: "second", Migrate: true}))
}
