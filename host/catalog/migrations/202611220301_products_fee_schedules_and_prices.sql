-- What plugins sell.
create table product (
    id text primary key,
    plugin text not null,
    institution text not null,
    code text not null,
    name text not null,
    summary text not null,
    currency text not null,
    in_units bigint not null check (in_units in (0, 1)),
    capture text not null check (capture in ('on-fulfilment', 'before-fulfilment')),
    redemption text not null check (redemption in ('ordinary', 'instant') and (redemption = 'ordinary' or in_units = 1)),
    created_at bigint not null,
    updated_at bigint not null,
    unique (plugin, code)
);
create index product_by_institution on product (institution, id);

-- Every version of their fees; orders keep the one that they were quoted on.
create table fee_schedule (
    id text primary key,
    product text not null references product (id),
    version bigint not null check (version > 0),
    effective_from text not null,
    lines text not null,
    accrued text not null,
    created_at bigint not null,
    unique (product, version)
);

-- What a unit is worth on a day, published once.
create table price (
    product text not null references product (id),
    day text not null,
    nav_e4 bigint not null check (nav_e4 > 0),
    income_per_10k_e4 bigint check (income_per_10k_e4 >= 0),
    yield_7d_ppm bigint check (yield_7d_ppm >= 0),
    published_at bigint not null,
    primary key (product, day)
);
