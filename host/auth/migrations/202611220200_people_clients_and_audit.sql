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
-- learns nothing from how it is throttled.
create table login_throttle (
    login text primary key,
    failures bigint not null check (failures >= 0),
    locked_until bigint not null,
    last_failed_at bigint not null
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
    scopes text not null,
    state text not null check (state in ('active', 'disabled')),
    created_at bigint not null
);
create index oauth_client_by_institution on oauth_client (institution_id);

-- Institutions whose staff and clients are refused.
create table institution_suspension (
    institution_id text primary key,
    suspended_at bigint not null
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
