create trigger lot_no_delete before delete on lot for each row execute function orders_refuses('a lot is never deleted');
create trigger lot_no_rewrite before update of order_id, user_id, product_id, acquired, units_minor on lot for each row execute function orders_refuses('what a lot was never changes');
create trigger lot_use_no_change before update or delete on lot_use for each row execute function orders_refuses('the use of a lot never changes');
create trigger accrued_day_no_change before update or delete on accrued_day for each row execute function orders_refuses('an accrued day never changes');
create trigger accrued_fee_no_change before update or delete on accrued_fee for each row execute function orders_refuses('an accrued fee never changes');
