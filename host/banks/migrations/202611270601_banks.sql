-- Bank channels, the accounts that people linked at them, and every transfer
-- that a bank is asked for. A transfer is stored before it is sent, and changed
-- in the transaction that moves its money.

create table bank_channel (
    code text primary key,
    name text not null,
    abilities text not null,
    cost_flat_minor bigint not null check (cost_flat_minor >= 0),
    cost_ppm bigint not null check (cost_ppm between 0 and 1000000),
    priority bigint not null,
    amount_max_minor bigint not null check (amount_max_minor > 0),
    state text not null,
    paused_because text,
    changed_at bigint not null,
    constraint bank_channel_abilities check (abilities in ('debit', 'credit', 'both')),
    constraint bank_channel_state check (state in ('active', 'paused')),
    constraint bank_channel_paused check ((state = 'paused') = (paused_because is not null))
);

-- An authorization under way; taken away by whoever comes back with its state.
create table bank_login (
    state_digest text primary key,
    user_id text not null,
    session_id text not null,
    channel text not null references bank_channel (code),
    sealed_verifier bytea not null,
    next text not null,
    expires_at bigint not null
);

create index bank_login_expires on bank_login (expires_at);

-- The tokens are sealed under the id of the row. `token_version` counts the
-- refreshes; whoever refreshes holds the row until `refreshing_until`.
create table bank_link (
    id text primary key,
    user_id text not null,
    channel text not null references bank_channel (code),
    account text not null,
    name text not null,
    number_masked text not null,
    state text not null,
    sealed_access bytea not null,
    sealed_refresh bytea not null,
    token_expires_at bigint not null,
    token_version bigint not null,
    refreshing_until bigint not null,
    linked_at bigint not null,
    changed_at bigint not null,
    constraint bank_link_state check (state in ('active', 'expired', 'unlinked'))
);

create index bank_link_user on bank_link (user_id, id);
create unique index bank_link_account on bank_link (user_id, channel, account) where state <> 'unlinked';

create table bank_transfer (
    id text primary key,
    key_digest text unique,
    request_hash text,
    purpose text not null,
    party text not null,
    account_number text,
    route bigint not null check (route > 0),
    channel text not null references bank_channel (code),
    link_id text references bank_link (id),
    currency text not null,
    amount_minor bigint not null check (amount_minor > 0),
    fee_minor bigint not null check (fee_minor >= 0),
    payment_id text not null unique,
    routing text not null,
    tried text not null,
    description text not null,
    requested_at bigint not null,
    state text not null,
    reason text,
    bank_reference text,
    attempt bigint not null check (attempt > 0),
    failures bigint not null check (failures >= 0),
    next_at bigint,
    lease_node text,
    lease_until bigint,
    booked_at bigint,
    answers bigint not null check (answers >= 0),
    changed_at bigint not null,
    constraint bank_transfer_purpose check (purpose in ('bank-top-up', 'bank-payment', 'withdrawal', 'payout', 'advance', 'advance-return')),
    constraint bank_transfer_state check (state in ('requested', 'unknown', 'accepted', 'done', 'rejected')),
    constraint bank_transfer_routing check (routing in ('fixed', 'free')),
    constraint bank_transfer_key check ((key_digest is null) = (request_hash is null)),
    constraint bank_transfer_account check ((link_id is null) = (account_number is not null)),
    constraint bank_transfer_booked check (state <> 'done' or booked_at is not null),
    constraint bank_transfer_ended check (state not in ('done', 'rejected') or (next_at is null and lease_node is null)),
    constraint bank_transfer_lease check ((lease_node is null) = (lease_until is null))
);

create index bank_transfer_party on bank_transfer (party, id);
create index bank_transfer_booked on bank_transfer (channel, booked_at) where booked_at is not null;
-- Small, whatever the history: what is due, leased, under way or stuck.
create index bank_transfer_due on bank_transfer (next_at) where next_at is not null;
create index bank_transfer_leased on bank_transfer (lease_node) where lease_node is not null;
create index bank_transfer_open on bank_transfer (state, id) where state not in ('done', 'rejected');

-- What the banks answered, and where they did not: the evidence of a transfer.
create table bank_answer (
    transfer_id text not null references bank_transfer (id),
    number bigint not null check (number > 0),
    at bigint not null,
    channel text not null,
    via text not null,
    outcome text not null,
    detail text not null,
    primary key (transfer_id, number),
    constraint bank_answer_via check (via in ('send', 'query', 'callback', 'operator'))
);

-- A channel's circuit counts the latest of these.
create index bank_answer_failed on bank_answer (channel, at) where outcome in ('unreachable', 'no-answer');
