-- Offers, orders and what they leave behind. An order row is written in the
-- transaction that holds its money and changed in those that move it.

create table offer (
    id text primary key,
    user_id text not null,
    plugin_id text not null,
    institution_id text not null,
    product_id text not null,
    scene_id text,
    terms text not null,
    made_at bigint not null,
    expires_at bigint not null,
    constraint offer_lifetime check (expires_at > made_at)
);

create index offer_expires on offer (expires_at);

-- Plural, since `order` is a word of SQL. `token` is the signed quote; what the
-- queries need of it stands beside it. Times and money go through the checks
-- below whatever the code does.
create table orders (
    id text primary key,
    token text not null,
    offer_id text not null references offer (id),
    user_id text not null,
    subject text not null,
    plugin_id text not null,
    institution_id text not null,
    product_id text not null,
    kind text not null,
    reference text not null,
    payment_id text not null unique,
    currency text not null,
    principal_minor bigint not null check (principal_minor > 0),
    amount_minor bigint not null check (amount_minor > 0),
    paid_minor bigint not null check (paid_minor > 0),
    units_minor bigint check (units_minor > 0),
    lots text not null,
    confirmed_at bigint not null,
    state text not null,
    captured bigint not null,
    attempt bigint not null check (attempt >= 0),
    failures bigint not null check (failures >= 0),
    next_at bigint,
    lease_node text,
    lease_until bigint,
    problem text,
    receipt text,
    posted_at bigint,
    returned_at bigint,
    changed_at bigint not null,
    constraint orders_kind check (kind in ('purchase', 'redeem', 'pay')),
    constraint orders_lots check (lots in ('unkept', 'added', 'taken')),
    constraint orders_state check (state in ('held', 'paid', 'unknown', 'completed', 'voided', 'refunded')),
    constraint orders_captured check (captured in (0, 1)),
    constraint orders_captured_state check (state = 'unknown' or (captured = 1) = (state in ('paid', 'completed', 'refunded'))),
    constraint orders_posted check ((captured = 1) = (posted_at is not null)),
    constraint orders_returned check ((state = 'refunded') = (returned_at is not null)),
    constraint orders_receipt check ((state <> 'completed' or receipt is not null) and (receipt is null or state in ('completed', 'refunded'))),
    constraint orders_lease check ((lease_node is null) = (lease_until is null))
);

create index orders_user on orders (user_id, id);
create index orders_institution on orders (institution_id, id);
create index orders_reference on orders (plugin_id, reference, id);
create index orders_offer on orders (offer_id);
-- Small, whatever the history: what is due, leased or stuck, and what moved units lately.
create index orders_due on orders (next_at) where next_at is not null;
create index orders_leased on orders (lease_node) where lease_node is not null;
create index orders_stuck on orders (id)
    where (failures > 0 and next_at is null) or (state = 'held' and problem is not null);
create index orders_posted on orders (product_id, user_id, posted_at) where units_minor is not null and posted_at is not null;
create index orders_returned on orders (product_id, user_id, returned_at) where units_minor is not null and returned_at is not null;

-- What a person took of a day's limit for instant redemptions, by product and
-- sales channel.
create table instant_allowance (
    user_id text not null,
    product_id text not null,
    channel text not null,
    day text not null,
    minor bigint not null check (minor >= 0),
    primary key (user_id, product_id, channel, day)
);

-- Redemptions of products that are paid at once when limit and advance allow it,
-- and on the next business day when not.
create table redemption (
    order_id text primary key references orders (id),
    institution_id text not null,
    user_id text not null,
    product_id text not null,
    channel text not null,
    day text not null,
    settles_on text not null,
    form text not null,
    currency text not null,
    minor bigint not null check (minor > 0),
    paid_minor bigint not null check (paid_minor > 0),
    ended text,
    repaid_at bigint,
    constraint redemption_form check (form in ('instant', 'later')),
    constraint redemption_ended check (ended is null or ended in ('given-back', 'repaid')),
    constraint redemption_repaid check ((repaid_at is not null) = (ended is not null and ended = 'repaid'))
);

-- The advances that are not repaid.
create index redemption_due on redemption (settles_on, order_id) where form = 'instant' and ended is null;

-- How far the income of a day is credited: `after_account` is the last holding done.
create table income_day (
    product_id text not null,
    day text not null,
    income_per_10k_e4 bigint not null check (income_per_10k_e4 >= 0),
    after_account text,
    holders bigint not null default 0,
    credited_minor bigint not null default 0,
    finished_at bigint,
    primary key (product_id, day)
);

-- One run of a plugin's job for a day.
create table job_run (
    plugin_id text not null,
    job text not null,
    day text not null,
    state text not null,
    attempts bigint not null,
    next_at bigint,
    lease_node text,
    lease_until bigint,
    problem text,
    changed_at bigint not null,
    primary key (plugin_id, job, day),
    constraint job_run_state check (state in ('running', 'waiting', 'done', 'failed')),
    constraint job_run_lease check ((lease_node is null) = (lease_until is null))
);

create index job_run_leased on job_run (lease_node) where lease_node is not null;
