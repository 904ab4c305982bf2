-- People, their sessions and PINs, institutions' staff and OAuth clients, and
-- the audit. Secrets are stored hashed; times are milliseconds.
create table auth_user (
    id text primary key,
    login text not null unique,
    name text not null,
    password_hash text not null,
    is_operator bigint not null default 0 check (is_operator in (0, 1)),
    created_at bigint not null
);

create table session (
    id text primary key,
    token_hash text not null unique,
    user_id text not null references auth_user (id),
    created_at bigint not null,
    expires_at bigint not null
);
create index session_by_user on session (user_id);
create index session_by_expiry on session (expires_at);

-- Failures by log-in name: also of names that nobody has, so that a guess
-- learns nothing from how it is throttled. Refusals are those of the present pause.
create table login_throttle (
    login text primary key,
    failures bigint not null check (failures >= 0),
    locked_until bigint not null,
    last_failed_at bigint not null,
    refusals bigint not null check (refusals >= 0)
);

create table payment_pin (
    user_id text primary key references auth_user (id),
    pin_hash text not null,
    failures bigint not null default 0 check (failures >= 0),
    locked_until bigint not null default 0,
    set_at bigint not null
);

create table institution_staff (
    institution_id text not null,
    user_id text not null references auth_user (id),
    added_by text not null,
    added_at bigint not null,
    primary key (institution_id, user_id)
);
create index institution_staff_by_user on institution_staff (user_id);

create table oauth_client (
    id text primary key,
    institution_id text not null,
    name text not null,
    jwks text not null,
    -- What it has, and what its staff asked for that an operator has not decided.
    scopes text not null,
    asked_scopes text not null default '',
    state text not null check (state in ('active', 'disabled')),
    created_at bigint not null
);
create index oauth_client_by_institution on oauth_client (institution_id);
create index oauth_client_asking on oauth_client (id) where asked_scopes <> '';

-- Institutions whose clients are refused: those that no operator has approved
-- yet, whose staff prepare what they will do, and suspended ones, whose staff
-- are refused too.
create table institution_bar (
    institution_id text primary key,
    cause text not null check (cause in ('pending', 'suspended')),
    since bigint not null
);

-- RFC 7523 section 3: a jti counts once until its assertion has expired.
create table oauth_assertion (
    client_id text not null,
    jti text not null,
    expires_at bigint not null,
    primary key (client_id, jti)
);
create index oauth_assertion_by_expiry on oauth_assertion (expires_at);

create table revoked_token (
    jti text primary key,
    client_id text not null,
    expires_at bigint not null,
    revoked_at bigint not null
);
create index revoked_token_by_expiry on revoked_token (expires_at);

-- One row: raised in the same transaction as whatever takes a right away. What
-- a node has cached counts only while the number it was read at still stands.
create table auth_revision (
    id bigint primary key check (id = 1),
    sessions bigint not null,
    tokens bigint not null
);
insert into auth_revision (id, sessions, tokens) values (1, 0, 0);

create table audit (
    id text primary key,
    at bigint not null,
    actor text not null,
    action text not null,
    subject text not null,
    outcome text not null check (outcome in ('allowed', 'refused')),
    detail text not null
);
create index audit_by_subject on audit (subject, id);
