-- What people allowed institutions to take, and what was taken. A mandate is
-- written when it is given and never changes but for its usage, which the
-- transaction of each charge writes, and that it is revoked once. The limits
-- that the rules hold are checks here, too.
create table mandate (
    id text primary key,
    user_id text not null,
    institution_id text not null,
    plugin_id text,
    title text not null,
    purpose text not null,
    reference text not null,
    currency text not null,
    per_payment bigint not null check (per_payment > 0),
    per_day bigint check (per_day > 0),
    per_month bigint check (per_month > 0),
    count_max bigint check (count_max > 0),
    payees text not null,
    products text not null,
    expires_at bigint not null,
    used_count bigint not null,
    used_minor bigint not null,
    used_day text not null,
    used_day_minor bigint not null,
    used_month_minor bigint not null,
    changes bigint not null default 0,
    created_at bigint not null,
    revoked_at bigint,
    -- When its end was told; whether it is over follows from `expires_at`.
    expired_at bigint,
    constraint mandate_count check (used_count >= 0 and (count_max is null or used_count <= count_max)),
    constraint mandate_day check (used_day_minor >= 0 and (per_day is null or used_day_minor <= per_day)),
    constraint mandate_month check (used_month_minor >= 0 and (per_month is null or used_month_minor <= per_month)),
    constraint mandate_used check (used_minor >= 0),
    constraint mandate_lifetime check (expires_at > created_at)
);

create index mandate_user on mandate (user_id, id);
create index mandate_institution on mandate (institution_id, id);
-- Small, whatever the history: those whose end is still to be told.
create index mandate_expires on mandate (expires_at) where expired_at is null and revoked_at is null;

-- The payments that a mandate paid for.
create index payment_mandate on payment (method, id) where method >= 'mdt' and method < 'mdu';
