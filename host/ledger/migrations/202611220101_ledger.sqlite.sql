create trigger ledger_transfer_no_update before update on ledger_transfer begin select raise(abort, 'ledger_transfer is append-only'); end;
create trigger ledger_transfer_no_delete before delete on ledger_transfer begin select raise(abort, 'ledger_transfer is append-only'); end;
create trigger ledger_account_no_rename before update of id, owner, kind, asset on ledger_account begin select raise(abort, 'a ledger account keeps its owner, kind and asset'); end;
create trigger ledger_account_no_delete before delete on ledger_account begin select raise(abort, 'a ledger account is never deleted'); end;
