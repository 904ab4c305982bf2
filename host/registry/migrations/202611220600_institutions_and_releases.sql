-- Institutions and their public accounts, plugins and their immutable releases.
create table institution (
    id text primary key,
    name text not null,
    kind text not null check (kind in ('fund', 'insurer', 'biller', 'bank')),
    state text not null check (state in ('pending', 'active', 'suspended')),
    created_at bigint not null
);

create table public_account (
    id text primary key,
    institution_id text not null unique references institution (id),
    handle text not null unique,
    name text not null,
    summary text not null,
    created_at bigint not null
);

create table follower (
    account_id text not null references public_account (id),
    user_id text not null,
    followed_at bigint not null,
    primary key (account_id, user_id)
);
create index follower_by_user on follower (user_id, followed_at);

create table message (
    id text primary key,
    account_id text not null references public_account (id),
    user_id text not null,
    sender text not null check (sender in ('account', 'user')),
    body text not null,
    sent_at bigint not null
);
create index message_by_conversation on message (account_id, user_id, id);

create table plugin (
    id text primary key,
    institution_id text not null references institution (id),
    name text not null unique,
    created_at bigint not null
);
create index plugin_by_institution on plugin (institution_id);

create table release (
    id text primary key,
    plugin_id text not null references plugin (id),
    institution_id text not null references institution (id),
    version text not null,
    digest text not null unique,
    manifest text not null,
    report text not null,
    signed_by text not null,
    uploaded_by text not null,
    uploaded_at bigint not null,
    state text not null check (state in ('in_review', 'approved', 'rejected', 'active', 'superseded')),
    reason text not null default '',
    decided_at bigint,
    unique (plugin_id, version)
);
-- A plugin has one active release at most.
create unique index release_active on release (plugin_id) where state = 'active';
create index release_in_review on release (uploaded_at) where state = 'in_review';

create table release_component (
    release_id text primary key references release (id),
    bytes bytea not null
);

-- One row: raised in the same transaction as whatever changes which release
-- serves whom, so that a node can tell cheaply that what it has cached stands.
create table registry_revision (
    id bigint primary key check (id = 1),
    revision bigint not null
);
insert into registry_revision (id, revision) values (1, 0);
