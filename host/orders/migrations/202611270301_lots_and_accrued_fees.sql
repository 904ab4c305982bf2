-- Units by the day that they were bought on, for products whose redemptions are
-- charged by holding days. One row for each purchase, written when it is posted.
create table lot (
    order_id text primary key references orders (id),
    user_id text not null,
    product_id text not null,
    acquired text not null,
    units_minor bigint not null check (units_minor > 0),
    left_minor bigint not null,
    changes bigint not null default 0,
    constraint lot_left check (left_minor between 0 and units_minor)
);

-- Small, whatever the history: lots with something left, the oldest first.
create index lot_held on lot (user_id, product_id, acquired, order_id) where left_minor > 0;

-- What a redemption took of a lot when it was placed.
create table lot_use (
    order_id text not null references orders (id),
    lot_id text not null references lot (order_id),
    minor bigint not null check (minor > 0),
    primary key (order_id, lot_id)
);

-- Days whose accrued fees a fund has paid: one payment for each.
create table accrued_day (
    product_id text not null,
    day text not null,
    days bigint not null check (days > 0),
    units_minor bigint not null check (units_minor >= 0),
    nav_e4 bigint not null check (nav_e4 > 0),
    schedule_version bigint not null check (schedule_version > 0),
    payment_id text,
    accrued_at bigint not null,
    primary key (product_id, day)
);

-- What each fee of such a day came to, and the fraction that the next day begins with.
create table accrued_fee (
    product_id text not null,
    day text not null,
    code text not null,
    minor bigint not null check (minor >= 0),
    carried bigint not null check (carried >= 0),
    primary key (product_id, day, code)
);
