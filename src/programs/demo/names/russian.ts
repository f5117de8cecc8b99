import { families, type Names, type Sex, words } from './material.ts'

const irregular: Record<string, Record<Sex, string>> = {
  Даниил: { male: 'Данилович', female: 'Даниловна' },
  Илья: { male: 'Ильич', female: 'Ильинична' },
  Кузьма: { male: 'Кузьмич', female: 'Кузьминична' },
  Лев: { male: 'Львович', female: 'Львовна' },
  Лука: { male: 'Лукич', female: 'Лукинична' },
  Михаил: { male: 'Михайлович', female: 'Михайловна' },
  Павел: { male: 'Павлович', female: 'Павловна' },
  Пётр: { male: 'Петрович', female: 'Петровна' },
  Фома: { male: 'Фомич', female: 'Фоминична' },
  Яков: { male: 'Яковлевич', female: 'Яковлевна' },
}

/** The ending to remove from the father's name, its replacement, and the ending for a son; the first match applies. */
const rules: [ending: RegExp, stem: string, male: string][] = [
  [/нтий$/, 'нть', 'евич'], // Терентий: Терентьевич
  [/([бвгджзклмнпрстфхцчшщ]{2})ий$/, '$1и', 'евич'], // Дмитрий, Георгий: Дмитриевич, Георгиевич
  [/ий$/, 'ь', 'евич'], // Юрий: Юрьевич
  [/[йь]$/, '', 'евич'], // Николай, Игорь: Николаевич, Игоревич
  [/[ая]$/, '', 'ич'], // Никита: Никитич
  [/о$/, '', 'ович'], // Данило: Данилович
  [/(?<=[жшчщцеиуюэ])$/, '', 'евич'],
  [/$/, '', 'ович'], // Иван: Иванович
]
const daughters: Record<string, string> = { евич: 'евна', ович: 'овна', ич: 'ична' }

/** Never throws: a name that fits no rule is treated as one that ends in a hard consonant. */
export function patronymic(father: string, sex: Sex): string {
  const known = irregular[father]
  if (known) return known[sex]
  const [ending, stem, male] = rules.find(([ending]) => ending.test(father)) ?? [/$/, '', 'ович']
  return father.replace(ending, stem) + (sex === 'male' ? male : daughters[male])
}

export const russian: Names = {
  given: {
    male: words(`
      Александр Алексей Анатолий Андрей Антон Артём Борис Вадим Валентин Валерий Василий Виктор Виталий Владимир
      Вячеслав Геннадий Георгий Григорий Даниил Денис Дмитрий Евгений Иван Игорь Илья Константин Леонид Лев Максим
      Михаил Никита Николай Олег Павел Пётр Роман Сергей Станислав Степан Тимофей Фёдор Юрий Яков`),
    female: words(`
      Александра Алёна Алина Алла Анастасия Анна Валентина Валерия Вера Виктория Галина Дарья Евгения Екатерина Елена
      Жанна Зинаида Зоя Инна Ирина Кристина Лариса Лидия Любовь Людмила Маргарита Марина Мария Надежда Наталья Нина
      Оксана Ольга Полина Раиса Светлана Софья Тамара Татьяна Юлия`),
  },
  // With the Ukrainian, German and Korean families whose papers have been Russian for three generations.
  families: families(
    `Алексеев Андреев Антонов Белов Белоусов Богданов Борисов Васильев Волков Воробьёв Воронин Голубев Гусев Денисов
    Егоров Зайцев Захаров Иванов Ильин Калинин Ковалёв Козлов Кузнецов Лебедев Медведев Никитин Новиков Павлов Петров
    Покровский Романов Соколов Степанов Тарасов Фёдоров Чернышёв Яковлев Вишневский Бондаренко Кравченко Ткаченко
    Шевченко Вебер Миллер Шмидт Ким Пак Цой`,
    male => male.replace(/([оеё]в|[иы]н)$/, '$1а').replace(/ский$/, 'ская'),
  ),
  patronymic: { today: patronymic, soviet: patronymic },
}
