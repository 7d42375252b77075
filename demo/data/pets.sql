CREATE TABLE pet (
  name VARCHAR(20) PRIMARY KEY,
  owner VARCHAR(20),
  species VARCHAR(20),
  birth DATE
);
INSERT INTO pet VALUES
  ('Almond', 'Ines', 'cat', '2019-04-02'),
  ('Biscuit', 'Ines', 'dog', '2021-11-30'),
  ('Cloud', 'Tomas', 'rabbit', '2023-06-17'),
  ('Dune', 'Amina', 'tortoise', '1994-08-01'),
  ('Ember', 'Amina', 'cat', NULL),
  ('Fjord', 'Joris', 'parrot', '2008-01-25');
