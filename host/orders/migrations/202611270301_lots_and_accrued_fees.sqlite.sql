create trigger lot_no_delete before delete on lot begin select raise(abort, 'a lot is never deleted'); end;
create trigger lot_no_rewrite before update of order_id, user_id, product_id, acquired, units_minor on lot begin select raise(abort, 'what a lot was never changes'); end;
create trigger lot_use_no_update before update on lot_use begin select raise(abort, 'the use of a lot never changes'); end;
create trigger lot_use_no_delete before delete on lot_use begin select raise(abort, 'the use of a lot never changes'); end;
create trigger accrued_day_no_update before update on accrued_day begin select raise(abort, 'an accrued day never changes'); end;
create trigger accrued_day_no_delete before delete on accrued_day begin select raise(abort, 'an accrued day never changes'); end;
create trigger accrued_fee_no_update before update on accrued_fee begin select raise(abort, 'an accrued fee never changes'); end;
create trigger accrued_fee_no_delete before delete on accrued_fee begin select raise(abort, 'an accrued fee never changes'); end;
