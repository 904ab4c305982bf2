create function settlement_refuses() returns trigger language plpgsql as 'begin raise exception ''%'', tg_argv[0]; end';
create trigger settlement_close_no_update before update or delete on settlement_close for each row execute function settlement_refuses('a closed day stays closed');
create trigger payout_no_delete before delete on payout for each row execute function settlement_refuses('a payout is never deleted');
create trigger payout_no_rewrite before update of id, institution_id, source, currency, day, part, through_day, minor, account_number, created_at on payout for each row execute function settlement_refuses('what is paid out never changes');
create trigger payout_no_way_back before update of state on payout for each row when (old.state <> new.state and (old.state in ('paid', 'rejected') or new.state = 'due')) execute function settlement_refuses('the state of a payout never goes back');
create trigger reconciliation_case_no_delete before delete on reconciliation_case for each row execute function settlement_refuses('a case is never deleted');
