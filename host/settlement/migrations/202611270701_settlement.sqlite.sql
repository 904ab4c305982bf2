create trigger settlement_close_no_update before update on settlement_close begin select raise(abort, 'a closed day stays closed'); end;
create trigger settlement_close_no_delete before delete on settlement_close begin select raise(abort, 'a closed day stays closed'); end;
create trigger payout_no_delete before delete on payout begin select raise(abort, 'a payout is never deleted'); end;
create trigger payout_no_rewrite before update of id, institution_id, source, currency, day, part, through_day, minor, account_number, created_at on payout begin select raise(abort, 'what is paid out never changes'); end;
create trigger payout_no_way_back before update of state on payout when old.state <> new.state and (old.state in ('paid', 'rejected') or new.state = 'due') begin select raise(abort, 'the state of a payout never goes back'); end;
create trigger reconciliation_case_no_delete before delete on reconciliation_case begin select raise(abort, 'a case is never deleted'); end;
