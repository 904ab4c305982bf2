-- Mandates that plugins propose, until their people agree, and the keys under
-- which plugins charged: a key leads to one offer and through it to one order.
create table mandate_offer (
    id text primary key,
    user_id text not null,
    plugin_id text not null,
    institution_id text not null,
    product_id text not null,
    terms text not null,
    made_at bigint not null,
    expires_at bigint not null,
    constraint mandate_offer_lifetime check (expires_at > made_at)
);

create index mandate_offer_expires on mandate_offer (expires_at);

-- A key whose offer led to no order is forgotten with it.
create table charge (
    plugin_id text not null,
    key text not null,
    mandate_id text not null,
    offer_id text not null unique references offer (id) on delete cascade,
    primary key (plugin_id, key)
);
