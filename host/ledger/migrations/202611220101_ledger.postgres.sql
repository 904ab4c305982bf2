create function ledger_refuses() returns trigger language plpgsql as 'begin raise exception ''% is append-only'', tg_table_name; end';
create trigger ledger_transfer_no_change before update or delete on ledger_transfer for each row execute function ledger_refuses();
create trigger ledger_transfer_no_truncate before truncate on ledger_transfer for each statement execute function ledger_refuses();
create trigger ledger_account_no_rename before update of id, owner, kind, asset on ledger_account for each row execute function ledger_refuses();
create trigger ledger_account_no_delete before delete on ledger_account for each row execute function ledger_refuses();
create trigger ledger_account_no_truncate before truncate on ledger_account for each statement execute function ledger_refuses();

-- Sums change with every batch: room on the page keeps the updates off the indexes.
alter table ledger_account set (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

create sequence ledger_chain_number start with 2;
create trigger ledger_journal_no_change before update or delete on ledger_journal for each row execute function ledger_refuses();
create trigger ledger_journal_no_truncate before truncate on ledger_journal for each statement execute function ledger_refuses();
create trigger ledger_chain_no_delete before delete on ledger_chain for each row execute function ledger_refuses();
create trigger ledger_chain_no_truncate before truncate on ledger_chain for each statement execute function ledger_refuses();
create trigger ledger_chain_forward before update on ledger_chain for each row when (new.chain <> old.chain or new.seq <= old.seq) execute function ledger_refuses();
alter table ledger_chain set (fillfactor = 10);
