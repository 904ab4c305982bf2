-- What happened, written in the transaction of the fact, and who must be told.
create table event (
    id text primary key,
    kind text not null,
    institution text,
    plugin text,
    subject text not null,
    payload text not null,
    created_at bigint not null,
    fanned_out_at bigint
);
create index event_to_fan_out on event (created_at, id) where fanned_out_at is null;
create index event_by_age on event (created_at) where fanned_out_at is not null;

-- Where an institution wants its events. The signing secret is sealed.
create table endpoint (
    id text primary key,
    institution text not null,
    url text not null,
    kinds text not null,
    sealed_secret bytea not null,
    state text not null check (state in ('enabled', 'disabled', 'deleted')),
    failing_since bigint,
    paused_until bigint not null default 0,
    created_at bigint not null
);
create index endpoint_by_institution on endpoint (institution, id);

-- One event for one receiver. While an attempt runs, due_at is the end of its
-- lease and attempts is its fence: whoever finishes must name that number.
create table event_delivery (
    id text primary key,
    event text not null references event (id),
    endpoint text references endpoint (id),
    plugin text,
    institution text,
    state text not null check (state in ('waiting', 'delivered', 'failed')),
    attempts bigint not null default 0 check (attempts >= 0),
    tries bigint not null default 0 check (tries >= 0),
    due_at bigint not null,
    created_at bigint not null,
    finished_at bigint,
    check ((endpoint is null) <> (plugin is null)),
    check ((state = 'waiting') = (finished_at is null))
);
create index event_delivery_due on event_delivery (due_at, id) where state = 'waiting';
create index event_delivery_by_event on event_delivery (event);
create index event_delivery_by_endpoint on event_delivery (endpoint, state);
create index event_delivery_by_institution on event_delivery (institution, id);

create table event_delivery_attempt (
    delivery text not null references event_delivery (id),
    number bigint not null check (number > 0),
    finished_at bigint not null,
    outcome text not null check (outcome in ('delivered', 'failed', 'gone')),
    status bigint,
    duration_ms bigint not null,
    detail text not null,
    primary key (delivery, number)
);
