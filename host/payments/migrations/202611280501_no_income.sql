-- What a holding was credited as income is what it has beyond what orders moved.
drop table payment_income;
