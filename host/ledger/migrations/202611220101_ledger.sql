-- The books. An account row carries its sums, so that a balance costs one look
-- and the cost of a transfer does not grow with history. There are no foreign
-- keys to ledger_account: every batch has locked the rows it names, and a check
-- for each transfer would cost as much as the transfer.
create table ledger_account (
    id text primary key,
    owner text not null,
    kind text not null,
    asset text not null,
    debits bigint not null default 0 check (debits >= 0),
    credits bigint not null default 0 check (credits >= 0),
    pending_out bigint not null default 0 check (pending_out >= 0),
    pending_in bigint not null default 0 check (pending_in >= 0),
    transfers bigint not null default 0 check (transfers >= 0),
    last_transfer text,
    constraint ledger_account_kind check (kind in ('available', 'settlement', 'revenue', 'clearing', 'external', 'receivable', 'advance', 'holding', 'issuance', 'income')),
    constraint ledger_account_floor check (kind in ('external', 'clearing', 'receivable', 'issuance', 'income') or credits - debits - pending_out >= 0)
);

create index ledger_account_owner on ledger_account (owner);

-- The holders of a product, in the order in which income is credited.
create index ledger_account_holding on ledger_account (asset, id) where kind = 'holding';

-- The debts, so that those that are not paid off are found among all accounts.
create index ledger_account_receivable on ledger_account (id) where kind = 'receivable';

-- What a day is closed for: no person's account and no holding.
create index ledger_account_business on ledger_account (id) where kind in ('settlement', 'revenue', 'external', 'receivable', 'advance');

create table ledger_transfer (
    id text primary key,
    kind text not null,
    debit_account text not null,
    credit_account text not null,
    minor bigint not null check (minor > 0),
    pending_id text,
    purpose text not null,
    reference text not null,
    debit_previous text,
    credit_previous text,
    debit_balance bigint not null,
    credit_balance bigint not null,
    at bigint not null,
    constraint ledger_transfer_kind check (kind in ('posted', 'pending', 'post', 'void')),
    constraint ledger_transfer_sides check (debit_account <> credit_account),
    constraint ledger_transfer_resolves check ((kind in ('post', 'void')) = (pending_id is not null))
);

-- A pending transfer is resolved once.
create unique index ledger_transfer_pending on ledger_transfer (pending_id) where pending_id is not null;

create index ledger_transfer_reference on ledger_transfer (reference);

-- The journal: an entry for each committed batch, in chains of hashes. A batch
-- takes a chain that no other is writing, so batches never wait for a head.
create table ledger_chain (
    chain bigint primary key,
    seq bigint not null default 0 check (seq >= 0),
    hash text not null default '0000000000000000000000000000000000000000000000000000000000000000'
);
insert into ledger_chain (chain) values (1);

create table ledger_journal (
    chain bigint not null,
    seq bigint not null check (seq > 0),
    previous text not null,
    hash text not null,
    facts bytea not null,
    at bigint not null,
    primary key (chain, seq)
);
