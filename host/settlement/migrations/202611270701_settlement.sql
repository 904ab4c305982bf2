-- When institutions are paid and what they were paid, where each account stood
-- when a day ended, and what the banks' statements said about it.

create table settlement_terms (
    institution_id text primary key,
    days bigint not null check (days between 0 and 5),
    account_number text not null,
    minimum_minor bigint not null check (minimum_minor >= 0),
    state text not null,
    planned_day text not null,
    changed_by text not null,
    changed_at bigint not null,
    constraint settlement_terms_state check (state in ('proposed', 'active'))
);

-- The newest transfer of an account when a day ended, and its sums at that point.
-- What came after belongs to the days after, whatever its clock said.
create table settlement_close (
    account_id text not null,
    day text not null,
    transfer_id text,
    credits bigint not null check (credits >= 0),
    debits bigint not null check (debits >= 0),
    primary key (account_id, day)
);

-- An institution is paid once for a day, account and currency, in as many parts as
-- a bank's channel needs.
create table payout (
    id text primary key,
    institution_id text not null,
    source text not null,
    currency text not null,
    day text not null,
    part bigint not null check (part >= 1),
    through_day text not null,
    minor bigint not null check (minor > 0),
    account_number text not null,
    state text not null,
    reason text,
    channel text,
    bank_reference text,
    attempts bigint not null default 0,
    next_at bigint,
    lease_node text,
    lease_until bigint,
    created_at bigint not null,
    changed_at bigint not null,
    constraint payout_once unique (institution_id, source, currency, day, part),
    constraint payout_source check (source in ('settlement', 'revenue')),
    constraint payout_state check (state in ('due', 'sent', 'unknown', 'paid', 'rejected')),
    constraint payout_ended check (state not in ('paid', 'rejected') or (next_at is null and lease_node is null)),
    constraint payout_lease check ((lease_node is null) = (lease_until is null))
);

create index payout_institution on payout (institution_id, id);
create index payout_open on payout (next_at) where next_at is not null;

-- A day of a bank's statement, as it was last fetched. A line that a later fetch
-- does not have any more is withdrawn and stays.
create table bank_statement_line (
    channel text not null,
    day text not null,
    bank_reference text not null,
    transfer_id text,
    change_minor bigint not null,
    booked_at bigint not null,
    fetched_at bigint not null,
    withdrawn_at bigint,
    primary key (channel, day, bank_reference)
);

create index bank_statement_line_transfer on bank_statement_line (channel, transfer_id) where transfer_id is not null;

create table reconciliation (
    channel text not null,
    day text not null,
    bank_opening bigint not null,
    bank_closing bigint not null,
    books_closing bigint not null,
    in_transit bigint not null,
    lines bigint not null,
    matched bigint not null,
    ran_at bigint not null,
    primary key (channel, day)
);

-- A difference between a bank's statement and the books. One line has one case.
create table reconciliation_case (
    id text primary key,
    channel text not null,
    day text not null,
    kind text not null,
    line text not null,
    transfer_id text,
    bank_reference text,
    bank_minor bigint,
    books_minor bigint,
    state text not null,
    note text,
    actor text,
    opened_at bigint not null,
    changed_at bigint not null,
    constraint reconciliation_case_line unique (channel, kind, line),
    constraint reconciliation_case_kind check (kind in ('missing-here', 'missing-there', 'amount-differs')),
    constraint reconciliation_case_state check (state in ('open', 'matched', 'explained', 'corrected', 'written-off')),
    constraint reconciliation_case_note check (state in ('open', 'matched') or (note is not null and actor is not null))
);

create index reconciliation_case_open on reconciliation_case (channel, day) where state = 'open';
