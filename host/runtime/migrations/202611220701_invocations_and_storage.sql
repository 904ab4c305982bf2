-- What plugins did, for their authors and the operator, and their own small store.
-- No row names a user: a plugin's log is the institution's, a person's visits are not.
create table invocation (
    id text primary key,
    plugin text not null,
    release text not null,
    function text not null,
    outcome text not null,
    message text not null,
    fuel bigint not null check (fuel >= 0),
    memory_bytes bigint not null check (memory_bytes >= 0),
    host_calls bigint not null check (host_calls >= 0),
    duration_us bigint not null check (duration_us >= 0),
    ended_at bigint not null,
    log text not null
);
create index invocation_of_plugin on invocation (plugin, id);


-- Keys are bytes, so that both engines order them by their bytes.
create table plugin_storage (
    plugin text not null,
    key bytea not null,
    value bytea not null,
    primary key (plugin, key)
);

-- What a plugin uses of its quota: one row that every change of its store goes through.
create table plugin_storage_usage (
    plugin text primary key,
    bytes bigint not null check (bytes >= 0)
);
