-- Payments, refunds, the answers given under idempotency keys, and the income
-- that holders got. Splits and deliveries never change and are read with their
-- payment alone, so they are a column of it. Everything that grows with
-- payments is indexed by ids that sort by time, so that a new row goes to the
-- end of each index whatever the history; the digest of a key is the exception.
create table payment (
    id text primary key,
    order_id text,
    institution_id text,
    payer text not null,
    method text not null,
    currency text not null,
    minor bigint not null check (minor > 0),
    splits text not null,
    deliveries text not null,
    description text not null,
    state text not null,
    expires_at bigint,
    void_reason text,
    captured bigint not null,
    refunded bigint not null default 0,
    refunds bigint not null default 0,
    returned text not null,
    created_at bigint not null,
    changed_at bigint not null,
    constraint payment_state check (state in ('held', 'posted', 'voided', 'partly-refunded', 'refunded')),
    constraint payment_void_reason check ((state = 'voided') = (void_reason is not null) and (void_reason is null or void_reason in ('released', 'expired'))),
    constraint payment_captured check (captured >= 0 and captured <= minor and (state in ('held', 'voided')) = (captured = 0)),
    constraint payment_refunded check (refunded >= 0 and refunded <= captured),
    constraint payment_refund_state check ((state = 'refunded') = (captured > 0 and refunded = captured) and (state = 'partly-refunded') = (refunded > 0 and refunded < captured))
);

-- An order is paid by one payment.
create unique index payment_order on payment (order_id) where order_id is not null;

-- The holds that end by themselves; an order's hold is not among them.
create index payment_expiry on payment (expires_at) where state = 'held' and expires_at is not null;

create index payment_institution on payment (institution_id, id) where institution_id is not null;

create table payment_refund (
    id text primary key,
    payment_id text not null,
    currency text not null,
    minor bigint not null check (minor > 0),
    parts text not null,
    owed text not null,
    reason text not null,
    created_at bigint not null
);

create index payment_refund_payment on payment_refund (payment_id, id);

create table payment_idempotency (
    digest text primary key,
    request_hash text not null,
    answer text not null,
    created_at bigint not null
);

create index payment_idempotency_age on payment_idempotency (created_at);

-- What a holding was credited as income so far.
create table payment_income (
    account_id text primary key,
    user_id text not null,
    product_id text not null,
    minor bigint not null check (minor > 0)
);
