-- An institution's servers propose mandates, too: those name no plugin and no product.
-- What was proposed under the old table ends within half an hour and is proposed again.
drop table mandate_offer;
create table mandate_offer (
    id text primary key,
    user_id text not null,
    plugin_id text,
    institution_id text not null,
    product_id text,
    terms text not null,
    made_at bigint not null,
    expires_at bigint not null,
    constraint mandate_offer_lifetime check (expires_at > made_at),
    constraint mandate_offer_proposer check ((plugin_id is null) = (product_id is null))
);

create index mandate_offer_expires on mandate_offer (expires_at);
create index mandate_offer_user on mandate_offer (user_id, institution_id);
