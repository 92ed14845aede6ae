-- {schema} is replaced by Options.Schema. A released migration must not change.

-- owner: the processes that hold flows. until is their lease: a process whose lease has ended holds nothing
-- that another one wants. written counts the groups of rows that the process has committed: after a COMMIT
-- without an answer it says whether the group is stored.
CREATE TABLE {schema}.owner (
	token   text COLLATE "C" PRIMARY KEY,
	name    text NOT NULL,
	written bigint NOT NULL DEFAULT 0,
	until   timestamptz NOT NULL
) WITH (fillfactor = 20, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

-- flow: one row for each flow. key is the digest of merchant, operation and payment key, and n the order of age.
-- fence counts how often the flow was taken over.
CREATE TABLE {schema}.flow (
	n         bigint GENERATED ALWAYS AS IDENTITY,
	version   bigint NOT NULL,
	fence     bigint NOT NULL DEFAULT 0,
	due       timestamptz,
	at        timestamptz NOT NULL,
	since     timestamptz NOT NULL,
	open      boolean NOT NULL,
	pruned    boolean NOT NULL DEFAULT false,
	id        text COLLATE "C" PRIMARY KEY,
	owner     text COLLATE "C",
	merchant  text COLLATE "C" NOT NULL,
	operation text COLLATE "C" NOT NULL,
	payment   text COLLATE "C" NOT NULL,
	provider  text COLLATE "C" NOT NULL,
	standing  text COLLATE "C" NOT NULL,
	key       bytea NOT NULL,
	names     bytea[] NOT NULL,
	tombstone bytea,
	state     bytea NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);

CREATE UNIQUE INDEX flow_open ON {schema}.flow (key) WHERE open AND payment <> '';
CREATE INDEX flow_key ON {schema}.flow (key);
CREATE INDEX flow_due ON {schema}.flow (due, id) WHERE due IS NOT NULL;
CREATE INDEX flow_done ON {schema}.flow (at) WHERE due IS NULL AND NOT pruned;
CREATE INDEX flow_standing ON {schema}.flow (standing, since, id) INCLUDE (merchant, provider);

-- name: under which names a provider may speak of a flow. hash is the digest of provider and name.
CREATE TABLE {schema}.name (
	hash bytea,
	id   text COLLATE "C",
	PRIMARY KEY (hash, id)
);

-- message: what one process has for the process that holds a flow: a webhook, a withdrawal, a person's word.
CREATE TABLE {schema}.message (
	n     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	id    text COLLATE "C" NOT NULL,
	tries int NOT NULL DEFAULT 0,
	after timestamptz NOT NULL DEFAULT now(),
	body  bytea NOT NULL
) WITH (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
