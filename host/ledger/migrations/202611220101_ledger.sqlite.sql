create trigger ledger_transfer_no_update before update on ledger_transfer begin select raise(abort, 'ledger_transfer is append-only'); end;
create trigger ledger_transfer_no_delete before delete on ledger_transfer begin select raise(abort, 'ledger_transfer is append-only'); end;
create trigger ledger_account_no_rename before update of id, owner, kind, asset on ledger_account begin select raise(abort, 'a ledger account keeps its owner, kind and asset'); end;
create trigger ledger_account_no_delete before delete on ledger_account begin select raise(abort, 'a ledger account is never deleted'); end;
create trigger ledger_journal_no_update before update on ledger_journal begin select raise(abort, 'ledger_journal is append-only'); end;
create trigger ledger_journal_no_delete before delete on ledger_journal begin select raise(abort, 'ledger_journal is append-only'); end;
create trigger ledger_journal_head after insert on ledger_journal begin update ledger_chain set seq = new.seq, hash = new.hash where chain = new.chain; end;
create trigger ledger_chain_no_delete before delete on ledger_chain begin select raise(abort, 'a chain of the journal is never deleted'); end;
create trigger ledger_chain_forward before update on ledger_chain when new.chain <> old.chain or new.seq <= old.seq begin select raise(abort, 'the journal goes forward'); end;
