import { families, type Names, type Sex, sovietPatronymic, words } from './material.ts'

/** Anvar: Anvarovich; Ali: Aliyevich; Oltoy: Oltoyevich. */
function latinPatronymic(father: string, sex: Sex): string {
  const joint = /[aeiou]$/.test(father) ? 'yev' : father.endsWith('y') ? 'ev' : 'ov'
  return father + joint + (sex === 'male' ? 'ich' : 'na')
}

/** In the Latin alphabet of 1995, with the letters oʻ and gʻ (U+02BB) and the sign ʼ (U+02BC). */
export const uzbek: Names = {
  given: {
    male: words(`
      Ali Anvar Asʼad Bahodir Botir Davron Dilshod Doniyor Elyor Farhod Gʻayrat Gʻulom Hamid Hasan Husan Ikrom Islom
      Ismoil Jahongir Jamshid Javlon Kamol Laziz Mahmud Mansur Murod Nodir Oʻktam Olim Otabek Oybek Qahramon Qodir
      Ravshan Rustam Sanjar Sardor Sherzod Shuhrat Toʻlqin Ulugʻbek Umid Xurshid Yoʻldosh Zafar`),
    female: words(`
      Aziza Barno Dilbar Dildora Dilfuza Feruza Gavhar Gulbahor Gulchehra Gulnora Gʻuncha Halima Hilola Iroda Kamola
      Lobar Lola Madina Mahliyo Malika Maʼmura Mavluda Mohira Muazzam Mukarram Munira Muqaddas Nargiza Nasiba Nigora
      Nilufar Nodira Oygul Oysha Ozoda Saodat Sayyora Shahnoza Umida Xurshida Yulduz Zamira Zilola Zulfiya`),
  },
  families: families(
    `Abdullayev Ahmedov Aliyev Azimov Boboyev Ergashev Gʻaniyev Gʻofurov Hakimov Hamidov Ibrohimov Ismoilov Jalilov
    Joʻrayev Karimov Komilov Mahmudov Mirzayev Moʻminov Nazarov Normatov Oripov Oʻrinov Pulatov Qodirov Qosimov
    Rahimov Rahmonov Rashidov Saidov Salimov Shokirov Sobirov Sodiqov Tojiboyev Toshmatov Toʻrayev Umarov Usmonov
    Xolmatov Yoqubov Yoʻldoshev Yusupov Zokirov`,
    male => `${male}a`,
  ),
  patronymic: {
    today: (father, sex) => `${father} ${sex === 'male' ? 'oʻgʻli' : 'qizi'}`,
    soviet: latinPatronymic,
  },
}

const letters: Record<string, string> = {
  ...{ yoʻ: 'йў', oʻ: 'ў', gʻ: 'ғ', sh: 'ш', ch: 'ч', ya: 'я', ye: 'е', yo: 'ё', yu: 'ю', ʼ: 'ъ' },
  ...{ a: 'а', b: 'б', d: 'д', e: 'е', f: 'ф', g: 'г', h: 'ҳ', i: 'и', j: 'ж', k: 'к', l: 'л', m: 'м', n: 'н' },
  ...{ o: 'о', p: 'п', q: 'қ', r: 'р', s: 'с', t: 'т', u: 'у', v: 'в', x: 'х', y: 'й', z: 'з' },
}

/** A Latin spelling in the older alphabet, which most papers still have. */
export const cyrillic = (latin: string): string =>
  latin.replace(/\bE/g, 'Э').replace(/yoʻ|[og]ʻ|[sc]h|y[aeou]|[a-zʼ]/gi, written => {
    const letter = letters[written.toLowerCase()] ?? written
    return /^[A-Z]/.test(written) ? letter.charAt(0).toUpperCase() + letter.slice(1) : letter
  })

export const uzbekCyrillic: Names = {
  given: { male: uzbek.given.male.map(cyrillic), female: uzbek.given.female.map(cyrillic) },
  families: uzbek.families.map(({ male, female }) => ({ male: cyrillic(male), female: cyrillic(female) })),
  patronymic: {
    today: (father, sex) => `${father} ${sex === 'male' ? 'ўғли' : 'қизи'}`,
    soviet: sovietPatronymic,
  },
}
